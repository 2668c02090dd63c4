import { ProxyModel, type ProxySettings, type ServiceTimes } from './proxy-model.ts'
import { exponential, seeded, type Random } from './random.ts'
import { Simulation } from './simulation.ts'

/** One request as its ingress forwards it. */
export interface Sent {
  readonly proxy: string
  readonly method: string
  readonly ingress: number
  /** When it was sent, and whether it had to be sent again: then its response time tells nothing (Karn). */
  readonly at: number
}

export type End = 'success' | 'refusal' | 'unavailable' | 'timeout'

/** A way to balance: whatever decides where new calls go. It hears what its ingresses see, and nothing else. */
export interface Balancer {
  readonly name: string
  /** Ids of proxies for a new call, in the order in which they are to be tried. */
  choose(ingress: number, callId: string): string[]
  sent?(request: Sent): void
  /** The first response; `ms` undefined: it was sent more than once. */
  answered?(request: Sent, status: number, ms: number | undefined): void
  ended?(request: Sent, end: End): void
  callEnded?(proxy: string): void
  /** May one more proxy be tried? */
  takeRetry?(ingress: number): boolean
  /** How long a proxy may be silent before the next one is tried. */
  silenceMs(proxy: string, method: string, ingress: number): number
}

export interface TrafficSettings {
  readonly callsPerSecond: number
  /** Mean time that a call rings, and lasts, in milliseconds; both exponentially distributed. */
  readonly ringMs: number
  readonly holdMs: number
  readonly ingresses: number
}

/** One call or request that was answered, for the figures. */
export interface Sample {
  readonly at: number
  readonly ms: number
  readonly method: string
  readonly proxy: string
}

export interface WorldSettings {
  readonly seed: number
  readonly proxies: readonly ProxySettings[]
  readonly serviceMs: ServiceTimes
  readonly traffic: TrafficSettings
}

/** Timer B and F, and the first retransmission (RFC 3261, 17.1). */
const TIMEOUT_MS = 32_000
const T1_MS = 500

/** Callers, the balancer's ingresses and the proxies: what happens in simulated time. */
export class World {
  readonly sim = new Simulation()
  readonly random: Random
  readonly proxies: readonly ProxyModel[]
  readonly samples: Sample[] = []
  /** New calls: when, and where the first try went. */
  readonly chosen: { readonly at: number; readonly proxy: string }[] = []
  /** Calls that got no final success. */
  failed = 0
  traffic: TrafficSettings
  readonly #byId: Map<string, ProxyModel>
  readonly #arrivals: Random
  #balancer: Balancer | undefined
  #calls = 0

  constructor({ seed, proxies, serviceMs, traffic }: WorldSettings) {
    this.random = seeded(seed)
    // Each has a chance of its own, so that arrivals are the same under every balancer.
    this.#arrivals = seeded(seed + 1)
    this.proxies = proxies.map((one, i) => new ProxyModel(one, this.sim, seeded(seed + 100 + i), serviceMs))
    this.#byId = new Map(this.proxies.map((one) => [one.id, one]))
    this.traffic = traffic
  }

  proxy(id: string): ProxyModel {
    const found = this.#byId.get(id)
    if (found === undefined) throw new Error(`no proxy ${id}`)
    return found
  }

  /** Begins the calls. */
  start(balancer: Balancer): void {
    this.#balancer = balancer
    this.#nextCall()
  }

  #nextCall(): void {
    const { callsPerSecond } = this.traffic
    this.sim.after(exponential(this.#arrivals, 1000 / callsPerSecond), () => {
      this.#nextCall()
      this.#call()
    })
  }

  #call(): void {
    const balancer = this.#balancer
    if (balancer === undefined) return
    const ingress = Math.floor(this.#arrivals() * this.traffic.ingresses)
    const ringMs = exponential(this.#arrivals, this.traffic.ringMs)
    const holdMs = exponential(this.#arrivals, this.traffic.holdMs)
    this.#calls += 1
    const proxies = balancer.choose(ingress, `call-${this.#calls}`)
    const [first] = proxies
    if (first !== undefined) this.chosen.push({ at: this.sim.now, proxy: first })
    new Invite(this, balancer, { ingress, proxies, ringMs, holdMs }).try()
  }
}

interface CallPlan {
  readonly ingress: number
  readonly proxies: readonly string[]
  readonly ringMs: number
  readonly holdMs: number
}

/** One INVITE with its failovers, and the BYE of the call that it makes. */
class Invite {
  readonly #world: World
  readonly #balancer: Balancer
  readonly #plan: CallPlan
  readonly #arrivedAt: number
  #tried = 0
  #isAnswered = false

  constructor(world: World, balancer: Balancer, plan: CallPlan) {
    this.#world = world
    this.#balancer = balancer
    this.#plan = plan
    this.#arrivedAt = world.sim.now
  }

  try(): void {
    const { sim } = this.#world
    const { proxies, ingress } = this.#plan
    const proxy = proxies[this.#tried]
    if (proxy === undefined) {
      this.#world.failed += 1
      return
    }
    this.#tried += 1
    const tries = this.#tried
    const request: Sent = { proxy, method: 'INVITE', ingress, at: sim.now }
    let isOver = false
    let isHeard = false
    const end = (how: End) => {
      if (!isOver) this.#balancer.ended?.(request, how)
      isOver = true
    }
    this.#balancer.sent?.(request)
    this.#world.proxy(proxy).receive('INVITE', (status) => {
      if (isOver) return
      isHeard = true
      this.#balancer.answered?.(request, status, msOf(request, sim.now))
      if (status === 503) {
        end(endOf(status))
        if (!this.#isAnswered && tries === this.#tried) this.#next()
      } else if (status >= 300) {
        end(endOf(status))
        this.#answered(proxy)
      } else this.#ring(proxy, end)
    })
    sim.after(this.#balancer.silenceMs(proxy, 'INVITE', ingress), () => {
      const isSilent = !isOver && !this.#isAnswered && tries === this.#tried
      if (isSilent && proxies[this.#tried] !== undefined) this.#next()
    })
    // Timer B ends with the first response.
    sim.after(TIMEOUT_MS, () => {
      if (!isHeard) end('timeout')
    })
  }

  #next(): void {
    if (this.#balancer.takeRetry?.(this.#plan.ingress) ?? true) this.try()
    else this.#world.failed += 1
  }

  #answered(proxy: string): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    const { sim, samples } = this.#world
    samples.push({ at: this.#arrivedAt, ms: sim.now - this.#arrivedAt, method: 'INVITE', proxy })
  }

  #ring(proxy: string, end: (how: End) => void): void {
    const isLate = this.#isAnswered
    this.#answered(proxy)
    const { sim } = this.#world
    sim.after(isLate ? 1 : this.#plan.ringMs, () => {
      if (this.#world.proxy(proxy).behaviour.kind === 'silent') return
      end('success')
      if (!isLate) sim.after(this.#plan.holdMs, () => this.#bye(proxy))
    })
  }

  #bye(proxy: string): void {
    const { sim, samples } = this.#world
    const request: Sent = { proxy, method: 'BYE', ingress: this.#plan.ingress, at: sim.now }
    this.#balancer.sent?.(request)
    this.#balancer.callEnded?.(proxy)
    let isHeard = false
    sim.after(TIMEOUT_MS, () => {
      if (!isHeard) this.#balancer.ended?.(request, 'timeout')
    })
    this.#world.proxy(proxy).receive('BYE', (status) => {
      if (isHeard) return
      isHeard = true
      this.#balancer.answered?.(request, status, msOf(request, sim.now))
      this.#balancer.ended?.(request, endOf(status))
      samples.push({ at: request.at, ms: sim.now - request.at, method: 'BYE', proxy })
    })
  }
}

function msOf({ at }: Sent, now: number): number | undefined {
  return now - at < T1_MS ? now - at : undefined
}

function endOf(status: number): End {
  if (status < 300) return 'success'
  return status === 503 ? 'unavailable' : 'refusal'
}
