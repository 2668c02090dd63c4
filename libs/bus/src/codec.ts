import { batchLimits, cloudEvent, type EventChannel } from '@siplb/contracts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export interface Envelope {
  readonly source: string
  readonly id: string
  readonly time: string
}

/** One event in structured JSON mode. Throws a ZodError where our own data break the contract: a fault of ours. */
export function encodeEvent<T>(channel: EventChannel<T>, data: T, envelope: Envelope): string {
  const { source, id, time } = envelope
  return JSON.stringify({ specversion: '1.0', id, type: channel.type, source, time, data: channel.data.parse(data) })
}

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

export interface Decoded<T> {
  readonly events: readonly { readonly data: T; readonly source: string; readonly id: string }[]
  /** How many could not be read. */
  readonly malformed: number
}

/**
 * Reads a message by its first byte, `{` one event and `[` a batch, since a user's own publication has no header. One bad event of a
 * batch does not spoil the others.
 */
export function decodeEvents<T>(channel: EventChannel<T>, payload: Uint8Array): Decoded<T> {
  const parsed = parseJson(payload)
  if (parsed === undefined) return { events: [], malformed: 1 }
  const list: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  if (list.length > batchLimits.events) return { events: [], malformed: 1 }
  const events = []
  for (const item of list) {
    const envelope = cloudEvent.safeParse(item)
    if (!envelope.success || envelope.data.type !== channel.type) continue
    const data = channel.data.safeParse(envelope.data.data)
    if (data.success) events.push({ data: data.data, source: envelope.data.source, id: envelope.data.id })
  }
  return { events, malformed: list.length - events.length }
}

/** Undefined for what is not JSON. */
export function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload))
  } catch {
    return undefined
  }
}
