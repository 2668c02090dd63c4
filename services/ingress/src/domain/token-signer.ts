import { LEAST_TEXT, readToken, writeToken, type RouteToken, type TokenKey } from './route-token.ts'

/**
 * Writes route tokens and reads them. Nothing is remembered of those that were verified: to look one up, and to keep it until then,
 * costs as much as its MAC.
 */
export class TokenSigner {
  readonly #keys: readonly TokenKey[]

  /** @param keys the first signs, all are known */
  constructor(keys: readonly TokenKey[]) {
    this.#keys = keys
  }

  /** Undefined where there is no key. */
  write(token: RouteToken, callId: string): string | undefined {
    const [key] = this.#keys
    return key === undefined ? undefined : writeToken(token, callId, key)
  }

  /** Undefined when it is not a token that one of the keys signed for this Call-ID. */
  read(text: string, callId: string): RouteToken | undefined {
    return text.length < LEAST_TEXT ? undefined : readToken(text, callId, this.#keys)
  }
}
