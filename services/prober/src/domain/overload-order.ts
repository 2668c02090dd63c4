import type { Overload } from '@siplb/sip'

/** What was last heard of a proxy's overload control, and until when it holds. */
export interface OverloadHeard {
  readonly seq: number
  readonly until: number
}

/**
 * Whether news is older than what is known (RFC 7339, 4.4). Answers overtake each other; but a proxy that was started anew may
 * count from the beginning, so what no longer holds is no longer held against the news.
 */
export function isOld(last: OverloadHeard | undefined, news: Overload, now: number): boolean {
  return last !== undefined && news.seq < last.seq && now < last.until
}

export function heardOverload(news: Overload, now: number): OverloadHeard {
  return { seq: news.seq, until: now + news.validityMs }
}

/** As a load: the part of requests that it wants left out. With a rate it only says that it is full. */
export function loadOf({ algorithm, value }: Overload): number {
  return algorithm === 'loss' ? value / 100 : 1
}
