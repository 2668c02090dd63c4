import { addLineBelow, applyEdits, hasLineBreak, HeaderId, scan, type Edit, type SipResponse } from '@siplb/sip'
import type { Branch } from './branch.ts'

const ids = [HeaderId.WwwAuthenticate, HeaderId.ProxyAuthenticate] as const

/**
 * RFC 3261, 16.7 step 7: a 401 or 407 carries the challenges of all branches, so that the caller can answer them in one request.
 * Any other response is given back as it is.
 */
export function withAllChallenges(best: SipResponse, branches: readonly Branch[]): SipResponse {
  if (!isChallenge(best)) return best
  const edits = branches.flatMap(({ final }) =>
    typeof final === 'object' && final !== best && isChallenge(final) ? challengesOf(final, best) : [],
  )
  if (edits.length === 0) return best
  const merged = scan(applyEdits(best, edits))
  // Over our limits: then one proxy at a time.
  return merged.kind === 'response' ? merged : best
}

const isChallenge = ({ status }: SipResponse): boolean => status === 401 || status === 407

function challengesOf(from: SipResponse, to: SipResponse): Edit[] {
  const valuesOf = (id: (typeof ids)[number]) => from.values(id).filter((value) => !hasLineBreak(value))
  return ids.flatMap((id) => valuesOf(id).map((value) => addLineBelow(to, id, value)))
}
