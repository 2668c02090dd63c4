import { freePort, spawnService, waitFor, type ServiceProcess } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import type { Heard } from '../../../services/ingress/test/peer.ts'
import { judgeKept } from '../../fuzz/judge.ts'
import { nameOf } from '../../fuzz/plain.ts'
import { CASES, filled, isThere, openArchive, type Archive } from './archive.ts'
import { Callee } from './callee.ts'
import { settledMb, settles } from './memory.ts'
import { openTcp, openUdp, type Sender } from './sender.ts'
import { wellMeantCall } from './well-meant-call.ts'

const BLOCK = 100
const ANSWERED_MS = 500
/** Those damage the body only, and the first nothing. */
const wellFormed = (number: number): boolean => number === 0 || number >= 2_428
const BOUND = 16_384
/** Of every so many cases, a valid call as long as it goes before. */
const WARM_UP_STEP = 2

async function ingress(pool: Callee): Promise<{ service: ServiceProcess; place: { address: string; port: number } }> {
  const port = await freePort('udp')
  const listen = [`udp://127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`]
  const pools = { default: { proxies: [{ id: 'px1', uri: pool.uri }] } }
  const config = { nats: { servers: ['nats://127.0.0.1:1'] }, http: { port: 0 }, ingress: { listen }, pools }
  const service = await spawnService('ingress', { config, env: settles })
  return { service, place: { address: '127.0.0.1', port } }
}

let branches = 100_000

interface Sent {
  readonly number: number
  readonly bytes: Buffer
  /** With what was sent behind it: by TCP a Content-Length may reach into that. */
  readonly stream: Buffer
}

/** One case as a call of its own, then what tears it down. */
async function sendCase(
  archive: Archive,
  { number, callId }: { readonly number: number; readonly callId: string },
  sender: Sender,
  sent: Map<string, Sent>,
): Promise<void> {
  const [invite = '', teardown = ''] = await archive.read(number)
  const copy = { callId, branch: branches++, port: sender.port }
  const bytes = filled(invite, copy)
  const after = [filled(teardown, copy, 'CANCEL'), filled(teardown, copy, 'ACK')]
  sent.set(copy.callId, { number, bytes, stream: Buffer.concat([bytes, ...after]) })
  await sender.sendCase(bytes, after)
}

/** A valid call of the length of a case: nothing but what is wrong with the cases is to be weighed. */
async function sendValid(archive: Archive, number: number, sender: Sender): Promise<void> {
  const [like = ''] = await archive.read(number)
  const [invite = '', teardown = ''] = await archive.read(0)
  const copy = { callId: `valid${number}`, branch: branches++, port: sender.port }
  const body = `a=${'x'.repeat(Math.max(0, like.length - invite.length))}\r\n`
  await sender.sendCase(filled(`${invite}${body}`, copy), [
    filled(teardown, copy, 'CANCEL'),
    filled(teardown, copy, 'ACK'),
  ])
}

/** The best of three: the machine has other things to do as well. */
async function answeredMs(sender: Sender): Promise<number> {
  let best = await wellMeantCall(sender)
  for (let again = 0; best > ANSWERED_MS && again < 2; again++) best = Math.min(best, await wellMeantCall(sender))
  return best
}

async function metric({ httpPort }: ServiceProcess, start: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(start))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Each lives on for 64*T1 and what follows. */
async function transactionsEnded(service: ServiceProcess): Promise<void> {
  await waitFor(async () => (await metric(service, 'siplb_transactions')) < 10, 150_000, 'the transactions to end')
}

/** Once it is no more than this, or after half a minute: decisions of the last minute are kept, and go as others come. */
async function keptMb(service: ServiceProcess, sender: Sender, enough: number): Promise<number> {
  let least = Infinity
  for (let i = 0; i < 12 && least > enough; i++) {
    await wellMeantCall(sender)
    least = Math.min(least, await settledMb(service.pid))
  }
  return least
}

/** What went on is what came, octet for octet, with nothing mended. */
function judgeForwarded({ stream }: Sent, heard: Heard): void {
  const end = stream.indexOf('\r\n\r\n') + 4
  const body = Buffer.from(heard.body, 'latin1')
  expect(stream.subarray(end, end + body.length).equals(body)).toBe(true)
  const ours = heard.lines.filter((line) => /^(Via|Record-Route): .*127\.0\.0\.1/.test(line))
  const added = [ours.find((line) => line.startsWith('Via')) ?? '', ...ours.filter((line) => line.startsWith('Record'))]
  const isChanged = (line: string) => ['via', 'max-forwards'].includes(nameOf(line))
  judgeKept(stream.subarray(0, end + body.length), heard.bytes, added, isChanged)
  expect(heard.one('CSeq')).toMatch(/^\d{1,10}\s+INVITE$/)
  expect(Number(heard.one('Max-Forwards'))).toBeLessThan(255)
}

/** In blocks, with a call behind each. */
async function sendAll(archive: Archive, sender: Sender): Promise<{ sent: Map<string, Sent>; slowestMs: number }> {
  const sent = new Map<string, Sent>()
  let slowestMs = 0
  for (let number = 0; number < CASES; number++) {
    await sendCase(archive, { number, callId: `case${number}` }, sender, sent)
    if ((number + 1) % BLOCK !== 0 && number !== CASES - 1) continue
    const ms = await answeredMs(sender)
    expect(ms, `after case ${number}`).toBeLessThanOrEqual(ANSWERED_MS)
    slowestMs = Math.max(slowestMs, ms)
  }
  return { sent, slowestMs }
}

/** What the proxy got; of those whose head is in order and which are no longer than our bounds, all. */
async function forwardedOf(sent: ReadonlyMap<string, Sent>, callee: Callee): Promise<[Sent, Heard][]> {
  const heardOf = (callId: string) => callee.invites.get(`${callId}@127.0.0.1`)
  const meant = [...sent].filter(([, { number, bytes }]) => wellFormed(number) && bytes.length <= BOUND)
  const lost = () => meant.filter(([callId]) => heardOf(callId) === undefined).map(([callId]) => callId)
  await waitFor(() => lost().length === 0, 10_000, 'all that are well formed').catch(() => {})
  expect(lost()).toEqual([])
  return [...sent].flatMap(([callId, one]): [Sent, Heard][] => {
    const heard = heardOf(callId)
    return heard === undefined ? [] : [[one, heard]]
  })
}

describe.skipIf(!isThere)('the 4,527 INVITEs of PROTOS', () => {
  it.each([
    { transport: 'UDP', open: openUdp },
    { transport: 'TCP', open: openTcp },
  ])(
    'by $transport: it lives, takes calls between them, and has its memory back',
    { timeout: 600_000 },
    async ({ open }) => {
      await using stack = new AsyncDisposableStack()
      const archive = stack.use(await openArchive())
      const callee = stack.use(await Callee.open())
      const { service, place } = await ingress(callee)
      stack.use(service)
      const sender = stack.use(await open(place))
      for (let number = 0; number < CASES; number += WARM_UP_STEP) await sendValid(archive, number, sender)
      await transactionsEnded(service)
      const before = await keptMb(service, sender, 0)
      const { sent, slowestMs } = await sendAll(archive, sender)
      const forwarded = await forwardedOf(sent, callee)
      for (const [one, heard] of forwarded) judgeForwarded(one, heard)
      expect(await metric(service, 'siplb_sip_dropped_total{reason="error"')).toBe(0)
      expect(service.log().filter(({ level }) => Number(level) >= 50)).toEqual([])
      await transactionsEnded(service)
      const after = await keptMb(service, sender, before * 1.1)
      console.log(
        `PROTOS ${sender.transport}: ${forwarded.length} of ${CASES} forwarded, slowest call ${slowestMs.toFixed(0)} ms, PSS ${before.toFixed(1)} then ${after.toFixed(1)} MB`,
      )
      expect(after).toBeLessThan(before * 1.1)
    },
  )
})

it.runIf(!isThere)('PROTOS is left out: SIPLB_PROTOS_DIR names no folder with c07-sip-r2-testcases.tar.xz', () => {})
