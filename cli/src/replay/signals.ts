import type { Bus, Past, Span } from '@siplb/bus'
import {
  loadReported,
  responseTimeTaken,
  trafficSeen,
  type EventChannel,
  type Load,
  type ResponseTime,
  type Traffic,
} from '@siplb/contracts'

interface Heard<K extends string, T> {
  readonly kind: K
  /** When the stream took it, in wall-clock milliseconds, and its place there. */
  readonly at: number
  readonly seq: number
  readonly source: string
  readonly data: T
}

/** One thing that the weigher of a pool heard. */
export type Signal = Heard<'probe', ResponseTime> | Heard<'load', Load> | Heard<'traffic', Traffic>

/** The signals of a pool in the order in which the stream took them. */
export function signalsOf(bus: Bus, pool: string, span: Span): AsyncIterable<Signal> {
  const past = <K extends string, T>(kind: K, channel: EventChannel<T>) =>
    as(kind, bus.history(channel, { pool }, span))
  return inOrder<Signal>([past('probe', responseTimeTaken), past('load', loadReported), past('traffic', trafficSeen)])
}

async function* as<K extends string, T>(kind: K, events: AsyncIterable<Past<T>>): AsyncGenerator<Heard<K, T>> {
  for await (const { at, seq, source, data } of events) yield { kind, at, seq, source, data }
}

/** Merges what is in order by itself; holds one of each at a time. */
export async function* inOrder<T extends { readonly seq: number }>(
  sources: readonly AsyncIterable<T>[],
): AsyncGenerator<T, void, undefined> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      const first = firstOf(heads)
      const head = heads[first]
      const iterator = iterators[first]
      if (head === undefined || head.done === true || iterator === undefined) return
      yield head.value
      heads[first] = await iterator.next()
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}

/** -1 when all have ended. */
function firstOf(heads: readonly IteratorResult<{ readonly seq: number }, unknown>[]): number {
  let first = -1
  let least = Infinity
  heads.forEach((head, i) => {
    if (head.done === true || head.value.seq >= least) return
    first = i
    least = head.value.seq
  })
  return first
}
