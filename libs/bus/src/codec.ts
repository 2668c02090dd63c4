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

/**
 * Many events at once. Only the first is held against the contract: a fault of ours shows in it, and looking at each of a hundred
 * thousand a second would cost more than all else that is done for them.
 */
export function encodeEvents<T>(channel: EventChannel<T>, many: readonly T[], envelope: () => Envelope): string[] {
  const type = JSON.stringify(channel.type)
  return many.map((data, i) => {
    const { source, id, time } = envelope()
    // Written by hand, for what is the same in all of them is a third of the work.
    const attributes = `"specversion":"1.0","id":"${id}","type":${type},"source":"${source}","time":"${time}"`
    return `{${attributes},"data":${JSON.stringify(i === 0 ? channel.data.parse(data) : data)}}`
  })
}

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

/** What batches are written into: a text as large as a batch gets fresh memory each time, which costs more than to write it. */
const page = Buffer.allocUnsafeSlow(batchLimits.bytes)
const [OPEN = 0, COMMA = 0, CLOSE = 0] = Buffer.from('[,]')

/** Groups encoded events into batches within the limits of the contract; one that is larger by itself goes alone. */
export function toBatches(events: readonly string[]): Uint8Array[] {
  const batches: Uint8Array[] = []
  let count = 0
  let end = 0
  const flush = () => {
    if (count === 0) return
    page[end] = CLOSE
    batches.push(new Uint8Array(page.subarray(0, end + 1)))
    count = 0
    end = 0
  }
  for (const event of events) {
    if (count === batchLimits.events || !isRoom(event, end)) flush()
    if (!isRoom(event, end)) {
      batches.push(encoder.encode(`[${event}]`))
      continue
    }
    page[end] = count === 0 ? OPEN : COMMA
    end += 1 + page.write(event, end + 1, 'utf8')
    count += 1
  }
  flush()
  return batches
}

/** Behind `end`, with a bracket or comma before it and a bracket behind. A character has three octets at most. */
function isRoom(event: string, end: number): boolean {
  const left = page.length - end - 2
  return event.length * 3 <= left || Buffer.byteLength(event) <= left
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
