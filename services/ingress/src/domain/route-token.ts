/**
 * The route token: what our Record-Route says of a dialog, so that any ingress can route its requests with no shared state.
 *
 *   octet 0       version (1)
 *   octet 1       key id: which key signed it
 *   octets 2–5    hash of the caller's tag, by which the direction of a request is known
 *   octet 6       worker that holds the caller's flow
 *   then          pool, proxy, instance, each as length and latin1 octets
 *   then          the caller's flow, where it is a stream: length and `transport:address:port`; length 0 for UDP
 *   last 8        MAC over all before and the Call-ID, cut to 64 bits
 *
 * In base64url, so that it can stand in the user part of a SIP URI. There is no expiry: a dialog's route set never changes
 * (RFC 3261, 12.2).
 */
export interface RouteToken {
  readonly pool: string
  readonly proxy: string
  /** `tagHash` of the From tag of the request that made the dialog. */
  readonly callerTag: number
  /** The ingress that counts the dialog, and holds the caller's flow where there is one. */
  readonly instance: string
  readonly worker: number
  /** Of a stream caller: `transport:address:port`. */
  readonly flow: string
}

/** Signs with one key; the MAC itself comes from outside. */
export interface TokenKey {
  readonly id: number
  mac(payload: Buffer, callId: string): Buffer
}

const VERSION = 1
const HEAD = 7
const MAC = 8

export function writeToken(token: RouteToken, callId: string, key: TokenKey): string {
  const { pool, proxy, instance, flow } = token
  const payload = Buffer.allocUnsafe(HEAD + 4 + pool.length + proxy.length + instance.length + flow.length)
  payload[0] = VERSION
  payload[1] = key.id
  payload.writeUInt32BE(token.callerTag, 2)
  payload[6] = token.worker
  let at = HEAD
  for (const text of [pool, proxy, instance, flow]) {
    payload[at] = text.length
    at += 1 + payload.write(text, at + 1, 'latin1')
  }
  return Buffer.concat([payload, key.mac(payload, callId).subarray(0, MAC)]).toString('base64url')
}

/** Undefined when it is not a token that one of these keys signed for this Call-ID. */
export function readToken(text: string, callId: string, keys: readonly TokenKey[]): RouteToken | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < HEAD + 4 + MAC || bytes.length > 512 || bytes[0] !== VERSION) return undefined
  const payload = bytes.subarray(0, -MAC)
  // Two keys may have the same id by chance: each of them is tried.
  const mac = bytes.subarray(-MAC)
  const isSigned = keys.some((key) => key.id === payload[1] && isSame(key.mac(payload, callId), mac))
  return isSigned ? readPayload(payload) : undefined
}

/** The whole length is looked at whatever differs, so that time tells a forger nothing. */
function isSame(mac: Buffer, given: Buffer): boolean {
  let difference = 0
  for (let i = 0; i < MAC; i++) difference |= (mac[i] ?? 0) ^ (given[i] ?? 0)
  return difference === 0
}

function readPayload(payload: Buffer): RouteToken | undefined {
  const texts: string[] = []
  let at = HEAD
  while (texts.length < 4) {
    const length = payload[at]
    if (length === undefined || at + 1 + length > payload.length) return undefined
    texts.push(payload.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at !== payload.length) return undefined
  const [pool = '', proxy = '', instance = '', flow = ''] = texts
  return { pool, proxy, callerTag: payload.readUInt32BE(2), instance, worker: payload[6] ?? 0, flow }
}

/** FNV-1a, 32 bits. The MAC covers it, so it need not be hard to turn round. */
export function tagHash(tag: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
