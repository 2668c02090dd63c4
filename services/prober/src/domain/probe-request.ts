import { overloadOffer, parseUri, type RequestSpec, type Uri } from '@siplb/sip'

/** Where to send a probe, or why a proxy cannot be probed. */
export type ProbeAddress =
  { readonly kind: 'address'; readonly uri: Uri } | { readonly kind: 'unusable'; readonly problem: string }

const transports: readonly string[] = ['udp', 'tcp', 'tls']

export function probeAddress(text: string): ProbeAddress {
  const uri = parseUri(text)
  if (uri === undefined || !/^sips?$/.test(uri.scheme)) return unusable('not a SIP URI; write it as sip:10.0.0.11:5060')
  const transport = uri.params.get('transport')?.toLowerCase()
  if (transport !== undefined && !transports.includes(transport)) return unusable('probes go by UDP, TCP or TLS')
  if (uri.scheme === 'sips' && transport === 'udp') return unusable('sips: goes by TLS alone; leave transport=udp out')
  return { kind: 'address', uri }
}

const unusable = (problem: string): ProbeAddress => ({ kind: 'unusable', problem })

/** Of the socket that sends. */
export interface LocalAddress {
  readonly transport: string
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
    via: { transport: local.transport.toUpperCase(), sentBy: sentBy(local), branch: ids.branch, params: viaParams },
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

export function sentBy({ address, port }: Omit<LocalAddress, 'transport'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** RFC 3261, 19.1.1, table 1: neither port nor transport belong into To. */
export function logicalUri(uri: string): string {
  const parsed: Uri | undefined = parseUri(uri)
  if (parsed === undefined) return uri
  return `${parsed.scheme}:${parsed.user === undefined ? '' : `${parsed.user}@`}${parsed.host}`
}
