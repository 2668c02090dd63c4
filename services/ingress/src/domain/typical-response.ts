/** So many responses make up the average: it is of the last seconds of a busy pool. */
const FOLLOW = 0.05
/** Refused in less than this part of the typical time is too fast: no work was done for it. */
const TOO_FAST = 0.5
const LONGEST_HOLD_MS = 2000

/** How long the proxies of a pool typically take to say their first word on a request that they accept. */
export class TypicalResponse {
  #ms: number | undefined

  /**
   * How much longer a request counts as work after its first response: of a refusal that came too fast, for what it would
   * typically have taken. A 404 or 503 at once means that a proxy is never busy, and by work alone it would draw ever more
   * requests (measured: 27 % of the calls of eight).
   */
  holdMs(status: number, ms: number): number {
    if (status < 300) {
      this.#ms = this.#ms === undefined ? ms : this.#ms + FOLLOW * (ms - this.#ms)
      return 0
    }
    if (this.#ms === undefined || ms >= TOO_FAST * this.#ms) return 0
    return Math.min(LONGEST_HOLD_MS, this.#ms - ms)
  }
}
