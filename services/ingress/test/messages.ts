import { scan, type Scanned, type SipRequest, type SipResponse } from '@siplb/sip'

/** What differs from an ordinary INVITE of Alice to Bob; a header given as '' is left out. */
export interface RequestParts {
  readonly method?: string
  readonly uri?: string
  readonly via?: string
  readonly from?: string
  readonly to?: string
  readonly callId?: string
  readonly cseq?: number
  readonly maxForwards?: string
  /** Whole lines, between Via and From. */
  readonly headers?: readonly string[]
  readonly body?: string
}

export function requestBytes(parts: RequestParts = {}): Buffer {
  const { method = 'INVITE', uri = 'sip:bob@example.com', cseq = 1, headers = [], body = '' } = parts
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: ${parts.via ?? 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds'}`,
    ...headers,
    ...(parts.maxForwards === '' ? [] : [`Max-Forwards: ${parts.maxForwards ?? '70'}`]),
    `From: ${parts.from ?? '"Alice" <sip:alice@example.com>;tag=alice'}`,
    `To: ${parts.to ?? '<sip:bob@example.com>'}`,
    `Call-ID: ${parts.callId ?? 'a84b4c76e66710'}`,
    `CSeq: ${cseq} ${method}`,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    '',
    body,
  ]
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

export function request(parts: RequestParts = {}): SipRequest {
  return asRequest(requestBytes(parts))
}

export interface ResponseParts {
  readonly method?: string
  readonly toTag?: string
  readonly vias?: readonly string[]
  readonly headers?: readonly string[]
}

export function response(status: number, parts: ResponseParts = {}): SipResponse {
  const { method = 'INVITE', toTag = 'bob', headers = [] } = parts
  const vias = parts.vias ?? ['SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9', 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1']
  const lines = [
    `SIP/2.0 ${status} Whatever`,
    ...vias.map((via) => `Via: ${via}`),
    ...headers,
    'From: "Alice" <sip:alice@example.com>;tag=alice',
    `To: <sip:bob@example.com>${toTag === '' ? '' : `;tag=${toTag}`}`,
    'Call-ID: a84b4c76e66710',
    `CSeq: 1 ${method}`,
    'Content-Length: 0',
    '',
    '',
  ]
  return asResponse(Buffer.from(lines.join('\r\n'), 'latin1'))
}

export function asRequest(bytes: Buffer): SipRequest {
  const scanned = scan(bytes)
  if (scanned.kind !== 'request') throw new Error(`not a request but ${kindOf(scanned)}`)
  return scanned
}

export function asResponse(bytes: Buffer): SipResponse {
  const scanned = scan(bytes)
  if (scanned.kind !== 'response') throw new Error(`not a response but ${kindOf(scanned)}`)
  return scanned
}

function kindOf(scanned: Scanned): string {
  return scanned.kind === 'malformed' ? scanned.problem : scanned.kind
}
