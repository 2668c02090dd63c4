/**
 * The route token: what our Record-Route says of a dialog, and our Path of a registration, so that any ingress can route their
 * requests with no shared state.
 *
 *   octet 0       kind: 1 a dialog that a caller began, 2 a registration, 3 a dialog that a proxy began
 *   octet 1       key id: which key signed it
 *   octets 2–5    hash of the caller's tag, by which the direction of a request is known
 *   octet 6       worker that holds the caller's flow
 *   then          pool, proxy, instance, each as length and latin1 octets
 *   then          the flow to the phone, of a dialog where it is a stream: length and `transport:address:port/connection`; else length 0
 *   last 8        MAC over all before and the Call-ID, cut to 64 bits; a registration is for calls to come, so it has no Call-ID
 *
 * In base64url, so that it can stand in the user part of a SIP URI. There is no expiry: a dialog's route set never changes
 * (RFC 3261, 12.2).
 */
export interface RouteToken {
  /** Who began: the phone (or whoever called us), or a proxy of ours; or that it is the Path of a registered phone. */
  readonly kind: TokenKind
  readonly pool: string
  readonly proxy: string
  /** `tagHash` of the From tag of the request that made the dialog. */
  readonly callerTag: number
  /** The ingress that counts the dialog, and holds the phone's flow where there is one. */
  readonly instance: string
  readonly worker: number
  /** To the phone: `transport:address:port`, and which connection it is; empty for UDP in a dialog. */
  readonly flow: string
}

type TokenKind = 'inbound' | 'registration' | 'outbound'

const octetOf = { inbound: 1, registration: 2, outbound: 3 } as const
const kinds: readonly (TokenKind | undefined)[] = [undefined, 'inbound', 'registration', 'outbound']

/** Signs with one key; the MAC itself comes from outside. */
export interface TokenKey {
  readonly id: number
  mac(payload: Buffer, callId: string): Buffer
}

const HEAD = 7
const MAC = 8
const LEAST = HEAD + 4 + MAC
/** No token is shorter. */
export const LEAST_TEXT = Math.ceil((LEAST * 4) / 3)

export function writeToken(token: RouteToken, callId: string, key: TokenKey): string {
  const { pool, proxy, instance, flow } = token
  const size = HEAD + 4 + pool.length + proxy.length + instance.length + flow.length
  const bytes = Buffer.allocUnsafe(size + MAC)
  const payload = bytes.subarray(0, size)
  payload[0] = octetOf[token.kind]
  payload[1] = key.id
  payload.writeUInt32BE(token.callerTag, 2)
  payload[6] = token.worker
  let at = HEAD
  for (const text of [pool, proxy, instance, flow]) {
    payload[at] = text.length
    at += 1 + payload.write(text, at + 1, 'latin1')
  }
  macOf(key, token.kind, payload, callId).copy(bytes, size, 0, MAC)
  return bytes.toString('base64url')
}

/** Undefined when it is not a token that one of these keys signed for this Call-ID. */
export function readToken(text: string, callId: string, keys: readonly TokenKey[]): RouteToken | undefined {
  const bytes = Buffer.from(text, 'base64url')
  const kind = kinds[bytes[0] ?? 0]
  if (bytes.length < LEAST || bytes.length > 512 || kind === undefined) return undefined
  const payload = bytes.subarray(0, -MAC)
  // Two keys may have the same id by chance: each of them is tried.
  const mac = bytes.subarray(-MAC)
  const isSigned = keys.some((key) => key.id === payload[1] && isSame(macOf(key, kind, payload, callId), mac))
  return isSigned ? readPayload(kind, payload) : undefined
}

function macOf(key: TokenKey, kind: TokenKind, payload: Buffer, callId: string): Buffer {
  return key.mac(payload, kind === 'registration' ? '' : callId)
}

/** The whole length is looked at whatever differs, so that time tells a forger nothing. */
function isSame(mac: Buffer, given: Buffer): boolean {
  let difference = 0
  for (let i = 0; i < MAC; i++) difference |= (mac[i] ?? 0) ^ (given[i] ?? 0)
  return difference === 0
}

function readPayload(kind: TokenKind, payload: Buffer): RouteToken | undefined {
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
  return { kind, pool, proxy, callerTag: payload.readUInt32BE(2), instance, worker: payload[6] ?? 0, flow }
}

/** FNV-1a, 32 bits. The MAC covers it, so it need not be hard to turn round. */
export function tagHash(tag: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < tag.length; i++) hash = Math.imul(hash ^ tag.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
