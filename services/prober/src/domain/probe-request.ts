import { hostPort, overloadOffer, parseUri, type RequestSpec, type Uri } from '@siplb/sip'

/** Where to send a probe, or why a proxy cannot be probed. */
export type ProbeAddress =
  | { readonly kind: 'address'; readonly host: string; readonly port: number }
  | { readonly kind: 'unusable'; readonly problem: string }

export function probeAddress(uri: string): ProbeAddress {
  const parsed = parseUri(uri)
  if (parsed === undefined) return { kind: 'unusable', problem: 'not a SIP URI; write it as sip:10.0.0.11:5060' }
  const transport = parsed.params.get('transport') ?? 'udp'
  if (parsed.scheme !== 'sip' || transport.toLowerCase() !== 'udp') {
    return {
      kind: 'unusable',
      problem: 'probes go by UDP only in this version; give it a sip: URI without another transport',
    }
  }
  return { kind: 'address', ...hostPort(parsed) }
}

/** Of the socket that sends. */
export interface LocalAddress {
  readonly address: string
  readonly port: number
}

export interface ProbeIds {
  readonly branch: string
  readonly callId: string
  readonly fromTag: string
}

/** `rport` brings the answer back through a NAT (RFC 3581); the others say that we hear overload control. */
export const viaParams = { rport: '', ...overloadOffer }

/**
 * OPTIONS outside a dialog (RFC 3261, 11.1): each a transaction of its own, so an answer is never ambiguous (Karn).
 */
export function probeRequest(uri: string, from: string, local: LocalAddress, ids: ProbeIds): RequestSpec {
  return {
    method: 'OPTIONS',
    uri,
    via: { transport: 'UDP', sentBy: sentBy(local), branch: ids.branch, params: viaParams },
    from: `<${from}>;tag=${ids.fromTag}`,
    to: `<${logicalUri(uri)}>`,
    callId: ids.callId,
    cseq: 1,
    maxForwards: 70,
    headers: [
      ['User-Agent', 'siplb-prober'],
      // 11.1: says which body may come. A load is read from JSON; SDP is what everybody knows how to answer with.
      ['Accept', 'application/json, application/sdp'],
    ],
  }
}

export function sentBy({ address, port }: LocalAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** RFC 3261, 19.1.1, table 1: neither port nor transport belong into To. */
export function logicalUri(uri: string): string {
  const parsed: Uri | undefined = parseUri(uri)
  if (parsed === undefined) return uri
  return `${parsed.scheme}:${parsed.user === undefined ? '' : `${parsed.user}@`}${parsed.host}`
}
