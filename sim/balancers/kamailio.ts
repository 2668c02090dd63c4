import type { ProxyModel } from '../engine/proxy-model.ts'
import type { World } from '../engine/world.ts'
import { Peer } from './peers.ts'

/*
 * Kamailio's dispatcher, modelled from the README of its module (5.8) and from what its issues tell. What the README says:
 *
 * - 4 takes turns; 11 draws from a table of 100 places, of which a destination has as many as its part of all `rweight` is in whole
 *   percents, what is left over going to the last; parts are worked out anew when one becomes inactive (kamailio#2698: hence 25 %
 *   for one of 26 equals); the order is shuffled, here too. 13 takes turns among those of the highest priority, where a priority P falls by
 *   1 for each P ms of latency. An inactive one is passed over: in 4 its turns fall to the next in the list (kamailio#2361).
 * - Destinations are pinged by OPTIONS, here every second as in the README's sample (by default not at all). The latency
 *   has a long average and an estimate, an EWMA in which a new sample weighs 1 - alpha: a tenth by default.
 * - `cc=1`: congestion in ms is estimate minus average, never under 0. In 11 each ms takes 1 off `weight`, here 50 as in the sample;
 *   where nothing is left of any, parts go by the ratio of congestion, the less the more. In 13 congestion stands for latency.
 *
 * A ping, as any request over UDP, is sent again after 500 ms (RFC 3261, 17.1.2.2), so one lost datagram is a latency of 500 ms; one
 * never answered fails after `fr_timer`, 30 s by default (kamailio#3446), and makes its destination inactive until a ping is
 * answered 200. A reload forgets latencies, as it does without `ds_retain_latency_stats`. Kamailio's first ten samples, its DNS
 * and its sets play no part here.
 */

const FR_TIMER_MS = 30_000
const T1_MS = 500
const PLACES = 100
const WEIGHT = 50
const PRIORITY = 30

export interface KamailioOptions {
  readonly algorithm: 4 | 11 | 13
  /** `cc=1` */
  readonly congestionControl?: boolean
  readonly alpha?: number
  readonly pingMs?: number
}

interface Latency {
  readonly average: number
  readonly estimate: number
  readonly count: number
}

export class Kamailio extends Peer {
  readonly name: string
  readonly #algorithm: 4 | 11 | 13
  readonly #isCongestionControlled: boolean
  readonly #alpha: number
  readonly #latencies = new Map<string, Latency>()
  readonly #turns = new Map<number, number>()
  #places: number[]
  #toLose: string | undefined

  constructor(world: World, { algorithm, congestionControl = false, alpha = 0.9, pingMs = 1000 }: KamailioOptions) {
    super(world)
    this.name = `Kamailio ${algorithm}${congestionControl ? ', cc=1' : ''}`
    this.#algorithm = algorithm
    this.#isCongestionControlled = congestionControl
    this.#alpha = alpha
    this.#places = this.#placesNow()
    for (const proxy of world.proxies) world.sim.every(pingMs, () => this.#ping(proxy), world.random() * pingMs)
  }

  override choose(ingress: number): string[] {
    const turn = this.#turns.get(ingress) ?? 0
    this.#turns.set(ingress, turn + 1)
    if (this.#algorithm === 4) return this.from(turn % this.ids.length)
    if (this.#algorithm === 13) return this.#byPriority(turn)
    return this.from(this.#places[turn % PLACES] ?? 0)
  }

  loseProbe(proxy: string): void {
    this.#toLose = proxy
  }

  /** As after a change of one destination. */
  reload(): void {
    this.#latencies.clear()
    this.#places = this.#placesNow()
  }

  knows(proxy: string): boolean {
    return this.#latencies.has(proxy)
  }

  /** What is left of `weight`; without congestion control, the `rweight`. */
  weightOf(proxy: string): number {
    return this.#weights()[this.ids.indexOf(proxy)] ?? 0
  }

  #byPriority(turn: number): string[] {
    const ids = this.from(0)
    const priorities = new Map(ids.map((id) => [id, PRIORITY - Math.floor(this.#slownessMs(id) / PRIORITY)]))
    const priority = (id: string) => priorities.get(id) ?? PRIORITY
    const highest = Math.max(...priorities.values())
    const best = ids.filter((id) => priority(id) === highest)
    const first = turn % Math.max(1, best.length)
    const others = ids.filter((id) => priority(id) < highest).toSorted((a, b) => priority(b) - priority(a))
    return [...best.slice(first), ...best.slice(0, first), ...others]
  }

  #slownessMs(id: string): number {
    return this.#isCongestionControlled ? this.#congestionMs(id) : Math.trunc(this.#latencies.get(id)?.estimate ?? 0)
  }

  #congestionMs(id: string): number {
    const { estimate, average } = this.#latencies.get(id) ?? { estimate: 0, average: 0 }
    return Math.max(0, Math.trunc(estimate - average))
  }

  #weights(): number[] {
    const { proxies } = this.world
    if (!this.#isCongestionControlled) return proxies.map(({ id, baseWeight }) => (this.out.has(id) ? 0 : baseWeight))
    const congestion = proxies.map(({ id }) => this.#congestionMs(id))
    const all = congestion.reduce((sum, ms) => sum + ms, 0)
    const left = congestion.map((ms) => Math.max(0, WEIGHT - ms))
    const isAnyLeft = proxies.some(({ id }, i) => !this.out.has(id) && (left[i] ?? 0) > 0)
    const weights = isAnyLeft ? left : congestion.map((ms) => (100 * (all - ms)) / Math.max(1, all))
    return proxies.map(({ id }, i) => (this.out.has(id) ? 0 : (weights[i] ?? 0)))
  }

  #placesNow(): number[] {
    return shuffled(placesOf(this.#weights()), this.world.random)
  }

  #ping(proxy: ProxyModel): void {
    const { sim } = this.world
    const sentAt = sim.now
    const isLost = this.#toLose === proxy.id
    if (isLost) this.#toLose = undefined
    let isHeard = false
    const send = () =>
      proxy.receive('OPTIONS', (status) => {
        if (isHeard) return
        isHeard = true
        this.#answered(proxy.id, status, sim.now - sentAt)
      })
    if (!isLost) send()
    sim.after(T1_MS, () => {
      if (!isHeard) send()
    })
    sim.after(FR_TIMER_MS, () => {
      if (!isHeard) this.#turnOut(proxy.id, true)
    })
  }

  #answered(id: string, status: number, ms: number): void {
    this.#turnOut(id, status >= 300)
    const { average, estimate, count } = this.#latencies.get(id) ?? { average: ms, estimate: ms, count: 0 }
    this.#latencies.set(id, {
      average: average + (ms - average) / (count + 1),
      estimate: count < 10 ? average : estimate * this.#alpha + ms * (1 - this.#alpha),
      count: count + 1,
    })
    if (this.#isCongestionControlled) this.#places = this.#placesNow()
  }

  #turnOut(id: string, isOut: boolean): void {
    if (this.out.has(id) === isOut) return
    if (isOut) this.out.add(id)
    else this.out.delete(id)
    this.#places = this.#placesNow()
  }
}

/** Whose each of the 100 places is: whole percents, and the last that has one gets what is left over. */
export function placesOf(weights: readonly number[]): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const places = weights.flatMap((weight, i) => Array.from({ length: Math.trunc((weight * PLACES) / all) }, () => i))
  const last = places.at(-1) ?? weights.length - 1
  return [...places, ...Array.from({ length: PLACES - places.length }, () => last)]
}

function shuffled(places: number[], random: () => number): number[] {
  for (let i = places.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a = 0, b = 0] = [places[i], places[j]]
    places[i] = b
    places[j] = a
  }
  return places
}
