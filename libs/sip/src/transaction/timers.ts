/** The intervals that all timers are made of (RFC 3261, 17.1.1.1), in milliseconds. Tests and scaled networks vary them. */
export interface Timers {
  /** Estimate of the round trip. */
  readonly t1Ms: number
  /** Longest interval between retransmissions of non-INVITE requests and of responses to INVITE. */
  readonly t2Ms: number
  /** Longest time that a message stays in the network. */
  readonly t4Ms: number
  /** An INVITE unanswered for so long gets a 100; RFC 3261, 17.2.1 allows 200. */
  readonly tryingMs: number
}

export const defaultTimers: Timers = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000, tryingMs: 100 }

/**
 * RFC 3261, Table 4; L and M from RFC 6026. `trying` asks for a 100.
 *
 * A, E, G retransmit · B, F, H give up · D, I, J, K absorb what still comes · L, M keep 2xx flowing
 */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'trying'

/** 64*T1: how long anything is worth waiting for. */
export function giveUpMs(timers: Timers): number {
  return 64 * timers.t1Ms
}

/**
 * When Timer E of the client reaches T2: 3.5 s with the usual intervals. A 100 to a non-INVITE request before that
 * only adds messages, from then on it is due (RFC 4320, 4.1).
 */
export function lateTryingMs(timers: Timers): number {
  let sum = 0
  for (let interval = timers.t1Ms; interval < timers.t2Ms; interval *= 2) sum += interval
  return sum
}
