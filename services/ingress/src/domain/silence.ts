/** An INVITE gets a 100 within 200 ms from whoever lives (RFC 3261, 17.2.1); other requests get nothing before their final response. */
const INVITE_MS = 500
const OTHER_MS = 1500

/**
 * How long a proxy may be wholly silent before the next candidate gets its chance: twice its learnt slowest first responses,
 * so that one that is merely slow is not doubled with traffic, and at least the usual time.
 */
export function silenceMs(method: string, learntP99Ms: number | undefined): number {
  return Math.max(method === 'INVITE' ? INVITE_MS : OTHER_MS, Math.min(2 * (learntP99Ms ?? 0), 8000))
}
