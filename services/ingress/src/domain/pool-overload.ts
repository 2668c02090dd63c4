import type { Candidate, Routed, WeightRow } from '@siplb/contracts'
import { pickFreshest } from '@siplb/routing'
import { EdgeShedding, wantedShed } from './edge-shedding.ts'
import { OverloadControl, type Asked } from './overload-control.ts'
import { OverloadNews } from './overload-news.ts'
import { divert, restrictAskers } from './overload-order.ts'
import type { RequestClass } from './request-class.ts'
import { Thinning } from './thinning.ts'

/** A new request that was drawn for, and what is known of its pool now. */
export interface Choice {
  readonly candidates: readonly Candidate[]
  readonly pick: Routed['pick']
  /** Who asked for the credentials that it brings: no other one knows the nonce. */
  readonly challenger: Candidate | undefined
  readonly requestClass: RequestClass
  /** All of the pool. */
  readonly rows: readonly WeightRow[]
  readonly workOf: (proxy: string) => number
  readonly mayShed: boolean
  /** How many ingresses send to the pool. */
  readonly ingresses: number
}

export type Chosen =
  | { readonly kind: 'candidates'; readonly candidates: Candidate[]; readonly divertedFrom?: string | undefined }
  /** All proxies ask for less, and this one is left out. */
  | { readonly kind: 'shed' }

/** The last pick of a pool, under what its proxies ask for by overload control. */
export class PoolOverload {
  readonly control = new OverloadControl()
  readonly news = new OverloadNews()
  readonly #thinning: Thinning
  readonly #shedding: EdgeShedding

  constructor(random: () => number) {
    this.#thinning = new Thinning(random)
    this.#shedding = new EdgeShedding(random)
  }

  choose(choice: Choice, now: number): Chosen {
    const { candidates, pick, workOf, challenger, requestClass } = choice
    this.#shedding.note(requestClass)
    if (!this.control.isAsked(now)) return picked(challenger, pickFreshest(candidates, pick, workOf))
    const askedOf = (proxy: string) => this.control.askedAt(proxy, now)
    if (choice.mayShed && this.#shedding.sheds(requestClass, wantedShed(choice.rows, askedOf))) return { kind: 'shed' }
    const isAsking = (proxy: string) => askedOf(proxy) !== undefined
    const inOrder = pickFreshest(restrictAskers(candidates, isAsking), pick, workOf)
    if (challenger === undefined) return this.#thin(inOrder, choice, askedOf, now)
    const asked = askedOf(challenger.proxy)
    if (asked !== undefined) this.#thinning.went(challenger.proxy, asked, shareOf(asked, choice), now)
    return picked(challenger, divert(inOrder, isAsking, () => true).candidates)
  }

  /** Of proxies that left the list nothing need be kept. */
  keepOnly(isListed: (proxy: string) => boolean): void {
    this.control.keepOnly(isListed)
    this.#thinning.keepOnly(isListed)
  }

  #thin(
    inOrder: readonly Candidate[],
    choice: Choice,
    askedOf: (proxy: string) => Asked | undefined,
    now: number,
  ): Chosen {
    const { requestClass, rows, workOf } = choice
    const takes = (proxy: string) => {
      const asked = askedOf(proxy)
      return asked === undefined || this.#thinning.takes(proxy, asked, shareOf(asked, choice), requestClass, now)
    }
    const { candidates, isRefused, divertedFrom } = divert(inOrder, (proxy) => askedOf(proxy) !== undefined, takes)
    if (!isRefused) return { kind: 'candidates', candidates, divertedFrom }
    // None that was drawn takes it, but one of the pool may ask for nothing.
    const free = leastWork(
      // One that is restricted must not get all that the others leave out.
      rows.filter(({ id, weight, restricted }) => weight > 0 && !restricted && askedOf(id) === undefined),
      workOf,
    )
    if (free !== undefined)
      return { kind: 'candidates', candidates: [free, ...candidates], divertedFrom: candidates[0]?.proxy }
    // By loss, what had to go went before the draw. A rate is a bound, for all but emergency calls, which it took above.
    const isOverRate = candidates.some(({ proxy }) => askedOf(proxy)?.algorithm === 'rate')
    if (isOverRate && choice.mayShed) return { kind: 'shed' }
    return { kind: 'candidates', candidates }
  }
}

function picked(challenger: Candidate | undefined, candidates: Candidate[]): Chosen {
  if (challenger === undefined) return { kind: 'candidates', candidates }
  return {
    kind: 'candidates',
    candidates: [challenger, ...candidates.filter(({ proxy }) => proxy !== challenger.proxy)],
  }
}

/** A rate that was told to somebody else is for all ingresses together. */
function shareOf({ isOwn }: Asked, { ingresses }: Choice): number {
  return isOwn ? 1 : 1 / ingresses
}

function leastWork(rows: readonly WeightRow[], workOf: (proxy: string) => number): Candidate | undefined {
  const candidates = rows.map(({ id, uri, weight }) => ({ proxy: id, uri, weight }))
  return pickFreshest(candidates, 'least-work', workOf)[0]
}
