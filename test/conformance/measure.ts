import { waitFor } from '@siplb/testkit'
import { cases, octetsOf, type Case, type Deed } from './cases.ts'
import type { StartElement } from './elements.ts'
import { changesOf } from './intact.ts'
import { readRaw, valueOf } from './raw-message.ts'
import { openRecordingProxy, type RecordingProxy } from './recording-proxy.ts'
import { openTcpSender, openUdpSender, type Place, type Sender } from './sender.ts'

export interface Outcome {
  readonly deed: Deed
  /** Of what was forwarded: what else is not as it was sent. */
  readonly changes: readonly string[]
}

/** By `set/name`. */
export type Outcomes = ReadonlyMap<string, Outcome>

/** Long enough for an answer on a busy machine; only what says nothing takes it. */
const SILENCE_MS = 2000

/** Sends every message through an element, which is started for it, and tells what became of each. */
export async function measure(start: StartElement, transport: 'udp' | 'tcp'): Promise<Outcomes> {
  await using proxy = await openRecordingProxy()
  await using element = await start(proxy)
  await using sender = transport === 'udp' ? await openUdpSender() : openTcpSender()
  const outcomes = new Map<string, Outcome>()
  for (const one of cases) outcomes.set(keyOf(one), await outcomeOf(one, sender, element.places[transport], proxy))
  return outcomes
}

export function keyOf({ set, name }: Case): string {
  return `${set}/${name}`
}

async function outcomeOf(one: Case, sender: Sender, to: Place, proxy: RecordingProxy): Promise<Outcome> {
  const octets = octetsOf(one)
  const callId = valueOf(readRaw(octets), 'call-id')
  await sender.send(octets, to)
  const arrived = () => proxy.find(callId)
  await waitFor(() => (arrived() ?? sender.answerTo(callId)) !== undefined, SILENCE_MS).catch(() => undefined)
  const passed = arrived()
  if (passed !== undefined) return { deed: 'forward', changes: changesOf(octets, passed) }
  return { deed: sender.answerTo(callId) ?? 'silence', changes: [] }
}
