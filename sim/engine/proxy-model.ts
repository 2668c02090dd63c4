import { exponential, type Random } from './random.ts'
import type { Simulation } from './simulation.ts'

/** What a proxy does with the requests that reach it. */
export type Behaviour =
  /** Each takes its time in one of the workers. */
  | { readonly kind: 'serve' }
  /** Each is refused at once, with no work done; or those of one method are, and the others served. */
  | { readonly kind: 'refuse'; readonly status: number; readonly afterMs: number; readonly method?: string }
  /** None is answered. */
  | { readonly kind: 'silent' }

export interface ProxySettings {
  readonly id: string
  /** How many requests are worked on at a time. */
  readonly workers?: number
  /** 2: twice as fast as one with 1. */
  readonly speed?: number
  readonly baseWeight?: number
  readonly tier?: number
}

/** Mean service time by method, in milliseconds, of a worker with speed 1. */
export type ServiceTimes = Readonly<Record<string, number>>

interface Waiting {
  readonly method: string
  readonly done: () => void
}

const NETWORK_MS = 0.2

/** A proxy as a queue, first come first served, with `workers` servers and exponential service times. */
export class ProxyModel {
  readonly id: string
  readonly baseWeight: number
  readonly tier: number
  workers: number
  speed: number
  behaviour: Behaviour = { kind: 'serve' }
  /** Milliseconds of work done by all of its workers. */
  busyMs = 0
  readonly #sim: Simulation
  readonly #random: Random
  readonly #times: ServiceTimes
  readonly #queue: Waiting[] = []
  #head = 0
  #busy = 0

  constructor(
    { id, workers = 1, speed = 1, baseWeight = 100, tier = 1 }: ProxySettings,
    sim: Simulation,
    random: Random,
    times: ServiceTimes,
  ) {
    this.id = id
    this.workers = workers
    this.speed = speed
    this.baseWeight = baseWeight
    this.tier = tier
    this.#sim = sim
    this.#random = random
    this.#times = times
  }

  /** Requests that are here and not done. */
  get backlog(): number {
    return this.#busy + this.#queue.length - this.#head
  }

  /** `answer` is called with 100 when the work is done, or with the status of a refusal; never by a silent proxy. */
  receive(method: string, answer: (status: number) => void): void {
    const { behaviour } = this
    const sim = this.#sim
    const reply = (status: number) => sim.after(NETWORK_MS, () => answer(status))
    if (behaviour.kind === 'silent') return
    if (behaviour.kind === 'refuse' && (behaviour.method ?? method) === method)
      return sim.after(NETWORK_MS + behaviour.afterMs, () => reply(behaviour.status))
    sim.after(NETWORK_MS, () => {
      this.#queue.push({ method, done: () => reply(100) })
      this.#work()
    })
  }

  #work(): void {
    while (this.#busy < this.workers) {
      const next = this.#queue[this.#head]
      if (next === undefined) break
      this.#head += 1
      this.#busy += 1
      const ms = exponential(this.#random, (this.#times[next.method] ?? 1) / this.speed)
      this.#sim.after(ms, () => {
        this.#busy -= 1
        this.busyMs += ms
        next.done()
        this.#work()
      })
    }
    if (this.#head > 1000) this.#head -= this.#queue.splice(0, this.#head).length
  }
}
