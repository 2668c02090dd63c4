import type { Endpoint, SipResponse } from '@siplb/sip'

/** Where a branch goes. */
export type Target =
  | { readonly kind: 'proxy'; readonly pool: string; readonly proxy: string; readonly uri: string }
  /** Along a route set, or where the configuration says. */
  | { readonly kind: 'address'; readonly uri: string }
  /** To a phone, by the connection that it holds to us, or the address that it was heard from. */
  | { readonly kind: 'flow'; readonly uri: string; readonly endpoint: Endpoint }
  /** To another instance of ours, which holds such a connection: with its token still on top. */
  | { readonly kind: 'fellow'; readonly uri: string }

/** The proxy that it is, if it is one. */
export function proxyOf(target: Target): { readonly pool: string; readonly proxy: string } | undefined {
  return target.kind === 'proxy' ? { pool: target.pool, proxy: target.proxy } : undefined
}

export type BranchFailure =
  /** The network says that nobody listens there, or the proxy was found down: nothing can come any more. */
  | 'gone'
  /** Timer B or F. */
  | 'timeout'
  /** Timer C: it rang for too long. */
  | 'rang-out'

/** One attempt to get a request answered (RFC 3261, 16.6). */
export interface Branch {
  readonly index: number
  readonly target: Target
  state: 'silent' | 'trying' | 'ringing' | 'ended'
  /** A CANCEL is wanted, and sent as soon as there is a provisional response (9.1). */
  cancel: 'no' | 'wanted' | 'sent'
  /** It stays open only so that a late 2xx is not lost: another branch was started in its place. */
  isSuperseded: boolean
  final: SipResponse | BranchFailure | undefined
}

export function isOpen(branch: Branch): boolean {
  return branch.state !== 'ended'
}
