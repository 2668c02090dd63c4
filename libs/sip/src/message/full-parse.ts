import { createRequire } from 'node:module'
import { SipError, refuseLineBreaks } from '../errors.ts'
import { isToken } from './octets.ts'

/** A request of our own, such as an OPTIONS that asks a proxy how it feels. Texts are written as latin1. */
export interface RequestSpec {
  readonly method: string
  readonly uri: string
  readonly via: ViaSpec
  /** Whole header values: `<sip:probe@lb.example.com>;tag=x`. */
  readonly from: string
  readonly to: string
  readonly callId: string
  readonly cseq: number
  /** Default 70. */
  readonly maxForwards?: number
  readonly contact?: string
  /** Further headers in this order. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer
}

export interface ViaSpec {
  /** In capitals. */
  readonly transport: string
  /** `host` or `host:port`, IPv6 in brackets. */
  readonly sentBy: string
  readonly branch: string
  /** Further parameters, `''` for one without a value: `{ rport: '' }`. */
  readonly params?: Readonly<Record<string, string>>
}

/**
 * Printed by the `sip` package, on a copy, because it changes what it is given. It takes values as they are, so line
 * breaks are refused here.
 *
 * @throws SipError `line-break` for a value with CR, LF or NUL; `unbuildable` for a name or method that is no token
 */
export function buildRequest(spec: RequestSpec): Buffer {
  const headers: Record<string, unknown> = {
    via: refuseLineBreaks(viaValue(spec.via)),
    'max-forwards': String(spec.maxForwards ?? 70),
    from: refuseLineBreaks(spec.from),
    to: refuseLineBreaks(spec.to),
    'call-id': refuseLineBreaks(spec.callId),
    cseq: `${spec.cseq} ${token(spec.method)}`,
  }
  if (spec.contact !== undefined) headers['contact'] = refuseLineBreaks(spec.contact)
  for (const [name, value] of spec.headers ?? []) addHeader(headers, token(name).toLowerCase(), refuseLineBreaks(value))
  const content = spec.body?.toString('latin1') ?? ''
  const uri = refuseBlanks(refuseLineBreaks(spec.uri))
  const text = sipPackage().stringify({ method: spec.method, uri, version: '2.0', headers, content })
  return Buffer.from(text, 'latin1')
}

// Loaded when the first request is built: the package opens doors to sockets, TLS and WebSocket, 15 MB that a process
// without requests of its own does not need.
let loaded: typeof import('sip') | undefined
function sipPackage(): typeof import('sip') {
  const require: (name: 'sip') => typeof import('sip') = createRequire(import.meta.url)
  loaded ??= require('sip')
  return loaded
}

function viaValue(via: ViaSpec): string {
  const params = Object.entries(via.params ?? {}).map(([name, value]) =>
    value === '' ? `;${name}` : `;${name}=${value}`,
  )
  return `SIP/2.0/${via.transport} ${via.sentBy};branch=${via.branch}${params.join('')}`
}

// The package keeps headers by name, so that a second one of a name would replace the first.
function addHeader(headers: Record<string, unknown>, name: string, value: string): void {
  if (Object.hasOwn(headers, name) || name === 'content-length' || name === '__proto__') {
    throw new SipError('unbuildable', `header ${name} is set twice or not yours to set; give it once, in its own field`)
  }
  headers[name] = value
}

function token(text: string): string {
  if (isToken(text)) return text
  throw new SipError('unbuildable', `"${text}" is no token; use letters, digits and -.!%*_+\`'~`)
}

function refuseBlanks(uri: string): string {
  if (uri !== '' && !uri.includes(' ')) return uri
  throw new SipError('unbuildable', `"${uri}" is no Request-URI; escape its spaces`)
}
