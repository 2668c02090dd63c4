interface Challenge {
  readonly pool: string
  readonly proxy: string
  readonly at: number
}

/** A caller answers at once, or after its user has typed a password. */
const KEPT_MS = 60_000
const MOST = 100_000

/**
 * Which proxy asked a caller for credentials. The request comes again with them, under the same Call-ID and From tag (RFC 3261,
 * 22.2), and has to reach the same proxy: no other one knows the nonce.
 */
export class Challenges {
  readonly #byRequest = new Map<string, Challenge>()

  note(callId: string, fromTag: string | undefined, target: Omit<Challenge, 'at'>, now: number): void {
    this.#forget(now)
    const key = keyOf(callId, fromTag)
    // To the end: the oldest stand first.
    this.#byRequest.delete(key)
    this.#byRequest.set(key, { pool: target.pool, proxy: target.proxy, at: now })
  }

  /** The proxy of this pool that asked. */
  find(callId: string, fromTag: string | undefined, pool: string, now: number): string | undefined {
    const challenge = this.#byRequest.get(keyOf(callId, fromTag))
    const isMeant = challenge?.pool === pool && now - challenge.at < KEPT_MS
    return isMeant ? challenge.proxy : undefined
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#byRequest) {
      if (now - at < KEPT_MS && this.#byRequest.size < MOST) return
      this.#byRequest.delete(key)
    }
  }
}

function keyOf(callId: string, fromTag = ''): string {
  return `${callId}\n${fromTag}`
}
