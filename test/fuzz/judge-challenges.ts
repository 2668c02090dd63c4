import { HeaderId, scan, type SipResponse } from '@siplb/sip'
import type { Branch } from '../../services/ingress/src/domain/branch.ts'
import { withAllChallenges } from '../../services/ingress/src/domain/merged-challenges.ts'
import { judgeKept } from './judge.ts'
import { must } from './plain.ts'

const challenge = 'Digest realm="other", nonce="1"'
const other = scan(
  Buffer.from(
    [
      'SIP/2.0 407 Proxy Authentication Required',
      'Via: SIP/2.0/UDP lb;branch=z9hG4bK9, SIP/2.0/UDP h',
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>;tag=2',
      'Call-ID: i',
      'CSeq: 1 INVITE',
      `Proxy-Authenticate: ${challenge}`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  ),
)

/** A 401 or 407 takes on what other branches asked for, and gives to theirs; no line of either is lost. */
export function judgeChallenges(response: SipResponse): void {
  if (other.kind !== 'response' || (response.status !== 401 && response.status !== 407)) return
  const merged = withAllChallenges(response, [branchOf(response), branchOf(other)])
  // Over our limits it stays as it is.
  if (merged !== response) {
    judgeKept(response.bytes, merged.bytes, [`Proxy-Authenticate: ${challenge}`], () => false)
    must(merged.values(HeaderId.ProxyAuthenticate).includes(challenge), 'both challenges are there')
  }
  const given = withAllChallenges(other, [branchOf(response), branchOf(other)])
  must(given.values(HeaderId.ProxyAuthenticate).includes(challenge), 'its own challenge is still there')
}

function branchOf(final: SipResponse): Branch {
  const target = { kind: 'address', uri: 'sip:px' } as const
  return { index: 0, target, state: 'ended', cancel: 'no', isSuperseded: false, final }
}
