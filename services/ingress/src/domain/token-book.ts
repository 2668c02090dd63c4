import { LEAST_TEXT, readToken, writeToken, type RouteToken, type TokenKey } from './route-token.ts'

/** In each of two generations, 6 MB in all: the ACK of a call and its first requests come within seconds. */
const MOST = 8000

interface Verified {
  readonly callId: string
  readonly token: RouteToken
}

/**
 * Writes route tokens and reads them. What it wrote, or verified, a moment ago is known again by its text, for a MAC costs more than
 * all else that a request of a dialog takes. In bounded memory: who sends ever other tokens has each of them verified, no more.
 */
export class TokenBook {
  readonly #keys: readonly TokenKey[]
  #young = new Map<string, Verified>()
  #old: ReadonlyMap<string, Verified> = new Map()

  /** @param keys the first signs */
  constructor(keys: readonly TokenKey[]) {
    this.#keys = keys
  }

  /** Undefined where there is no key. */
  write(token: RouteToken, callId: string): string | undefined {
    const [key] = this.#keys
    if (key === undefined) return undefined
    const text = writeToken(token, callId, key)
    this.#remember(text, { callId, token })
    return text
  }

  /** Undefined when it is not a token that one of the keys signed for this Call-ID. */
  read(text: string, callId: string): RouteToken | undefined {
    if (text.length < LEAST_TEXT) return undefined
    const known = this.#young.get(text) ?? this.#old.get(text)
    if (known !== undefined && (known.callId === callId || known.token.kind === 'registration')) return known.token
    const token = readToken(text, callId, this.#keys)
    if (token !== undefined) this.#remember(text, { callId, token })
    return token
  }

  #remember(text: string, verified: Verified): void {
    if (this.#young.size >= MOST) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, verified)
  }
}
