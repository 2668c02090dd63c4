import type { SipResponse } from '@siplb/sip'

/** Where a branch goes: a proxy of a pool, or an address along a route set. */
export type Target =
  | { readonly kind: 'proxy'; readonly pool: string; readonly proxy: string; readonly uri: string }
  | { readonly kind: 'address'; readonly uri: string }

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
