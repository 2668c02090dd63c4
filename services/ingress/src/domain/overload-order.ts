import type { Candidate } from '@siplb/contracts'

/**
 * A proxy that asks for less is taken when it is drawn first, and else is there for failover only. By work it would win each pick,
 * for it has little to do; and where it stands first, a pick by work would leave out more than it asked for.
 */
export function restrictAskers(
  candidates: readonly Candidate[],
  isAsking: (proxy: string) => boolean,
): readonly Candidate[] {
  const [first] = candidates
  const isFirstAsking = first !== undefined && isAsking(first.proxy)
  const stepsBack = (one: Candidate) => one !== first && one.fallback !== true && (isFirstAsking || isAsking(one.proxy))
  return candidates.some(stepsBack)
    ? candidates.map((one) => (stepsBack(one) ? { ...one, fallback: true } : one))
    : candidates
}

export interface Ordered {
  /** In the order in which they are to be tried: those that ask for less last, so that failover does not flood them. */
  readonly candidates: Candidate[]
  /** Nobody takes it: each candidate asks for less, and would leave this one out. */
  readonly isRefused: boolean
  /** The picked proxy leaves it out, and another one takes it. */
  readonly divertedFrom: string | undefined
}

/**
 * Thins after the pick: a request that the picked proxy wants left out goes to the next candidate that takes it, those that ask
 * for nothing first.
 */
export function divert(
  picked: readonly Candidate[],
  isAsking: (proxy: string) => boolean,
  takes: (proxy: string) => boolean,
): Ordered {
  const [first, ...others] = picked
  if (first === undefined) return { candidates: [], isRefused: false, divertedFrom: undefined }
  const free = others.filter(({ proxy }) => !isAsking(proxy))
  const asking = others.filter(({ proxy }) => isAsking(proxy))
  if (!isAsking(first.proxy) || takes(first.proxy))
    return { candidates: [first, ...free, ...asking], isRefused: false, divertedFrom: undefined }
  if (free.length > 0) return { candidates: [...free, ...asking, first], isRefused: false, divertedFrom: first.proxy }
  const taker = asking.find(({ proxy }) => takes(proxy))
  if (taker === undefined) return { candidates: [first, ...asking], isRefused: true, divertedFrom: undefined }
  const rest = asking.filter((one) => one !== taker)
  return { candidates: [taker, ...rest, first], isRefused: false, divertedFrom: first.proxy }
}
