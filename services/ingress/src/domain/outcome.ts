import type { Outcome } from '@siplb/contracts'

/**
 * What a final response says of the proxy. Faults of the server are 408 by our own timer, 500, 503 and 504 (RFC 6076,
 * "ISA"); every other refusal speaks of the request or the callee.
 */
export function outcomeOf(status: number, isCancelled: boolean): Outcome {
  if (status < 300) return 'success'
  if (status < 400) return 'redirection'
  if (status === 503) return 'unavailable'
  if (status === 500 || status === 504) return 'serverError'
  return status === 487 && isCancelled ? 'cancelled' : 'refusal'
}

const faultyEnds: ReadonlySet<Outcome> = new Set(['unavailable', 'serverError', 'timeout', 'transportError'])
const faultyStatuses: ReadonlySet<number> = new Set([500, 503, 504])

/** Whether an end, or a first response, is a fault of the proxy. */
export function isFault(what: Outcome | number): boolean {
  return typeof what === 'number' ? faultyStatuses.has(what) : faultyEnds.has(what)
}
