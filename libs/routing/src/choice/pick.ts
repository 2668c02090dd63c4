import type { Candidate, Routed } from '@siplb/contracts'

/**
 * The last pick, by who forwards the request, at the moment when it arrives. By `least-work` the candidate with the least
 * work outstanding for its weight wins, ties to the first drawn, so that at low load the shares are the weights; `workOf` tells
 * what this ingress itself has sent there and has had no response to at all. By `first` the order stands.
 * Returns the picked one first and the others behind it as its fallbacks, as drawn.
 */
export function pickFreshest(
  candidates: readonly Candidate[],
  pick: Routed['pick'],
  workOf: (proxy: string) => number,
): Candidate[] {
  const picked = pick === 'first' ? candidates[0] : leastWork(candidates, workOf)
  if (picked === undefined) return []
  return [picked, ...candidates.filter((candidate) => candidate !== picked)]
}

function leastWork(candidates: readonly Candidate[], workOf: (proxy: string) => number): Candidate | undefined {
  let picked = candidates[0]
  let least = Infinity
  for (const candidate of candidates) {
    if (candidate.fallback === true) continue
    const work = candidate.weight > 0 ? workOf(candidate.proxy) / candidate.weight : Infinity
    if (work < least) {
      least = work
      picked = candidate
    }
  }
  return picked
}
