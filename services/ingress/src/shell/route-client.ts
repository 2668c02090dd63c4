import { BusError, type Bus } from '@siplb/bus'
import {
  routeQuestion,
  routeQuestionTo,
  type ChoicesAhead,
  type RouteAnswer,
  type RouteFacts,
  type RouteReply,
  type RouteRequest,
} from '@siplb/contracts'

/** How long the instances are asked directly after the queue group failed to answer. */
const DIRECT_MS = 3000
/** An instance is taken to live for so long after its last answer. */
const LIVING_MS = 10_000
const MOST_PER_QUESTION = 500

export type Answered =
  | { readonly source: 'location'; readonly answer: RouteAnswer }
  | { readonly source: 'local'; readonly why: 'disconnected' | 'no-responders' | 'timeout' | 'failed' }

/** Whoever knows where requests should go. */
export interface Routes {
  ask(facts: RouteFacts, done: (answered: Answered) => void): void
}

interface Waiting {
  readonly facts: RouteFacts
  readonly done: (answered: Answered) => void
}

interface Instance {
  answeredAt: number
  failedAt: number
}

export interface RouteClientOptions {
  readonly bus: Bus
  /** The whole budget; the question is put to a second location after half of it. */
  readonly budgetMs: number
  readonly now: () => number
}

/**
 * Asks location where requests should go, all those of one event-loop turn in one question. Never waits longer than its budget, and
 * not at all when the bus is gone or nobody answers on it: the caller then chooses by its own table.
 *
 * In a queue group a location that hangs swallows its share of the questions for as long as it hangs. So after a timeout
 * the instances that answered lately are asked directly, and those that fail then are left out.
 */
export class RouteClient implements Routes {
  readonly #options: RouteClientOptions
  readonly #instances = new Map<string, Instance>()
  #waiting: Waiting[] = []
  #directUntil = Number.NEGATIVE_INFINITY
  #turn = 0

  constructor(options: RouteClientOptions) {
    this.#options = options
  }

  ask(facts: RouteFacts, done: (answered: Answered) => void): void {
    if (!this.#options.bus.isConnected()) return done({ source: 'local', why: 'disconnected' })
    this.#waiting.push({ facts, done })
    if (this.#waiting.length === 1) setImmediate(() => this.#flush())
    else if (this.#waiting.length === MOST_PER_QUESTION) this.#flush()
  }

  /** Choices for coming requests of a pool; undefined when nobody gave any in time. */
  async ahead(pool: string, count: number): Promise<ChoicesAhead | undefined> {
    const question: RouteRequest = {
      ingress: this.#options.bus.instance,
      requests: [],
      ahead: { pool, count, compact: true },
    }
    const answered = await this.#firstAnswer(question).catch(() => undefined)
    return answered?.ahead
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) void this.#put(waiting)
  }

  async #put(waiting: readonly Waiting[]): Promise<void> {
    const { bus } = this.#options
    const question: RouteRequest = { ingress: bus.instance, requests: waiting.map(({ facts }) => facts) }
    let answered: RouteReply | undefined
    let why: Exclude<Answered, { source: 'location' }>['why'] = 'failed'
    try {
      answered = await this.#firstAnswer(question)
    } catch (error) {
      if (error instanceof BusError && (error.code === 'timeout' || error.code === 'no-responders')) why = error.code
      else if (error instanceof BusError && error.code === 'disconnected') why = 'disconnected'
    }
    const byId = new Map(answered?.answers.map((answer) => [answer.id, answer]))
    for (const { facts, done } of waiting) {
      const answer = byId.get(facts.id)
      done(answer === undefined ? { source: 'local', why } : { source: 'location', answer })
    }
  }

  /** The first of: who is asked now, and another one that is asked when half of the budget is over. */
  async #firstAnswer(question: RouteRequest): Promise<RouteReply> {
    const { budgetMs, now } = this.#options
    const hedgeAfterMs = budgetMs / 2
    const first = this.#askOne(question, now() < this.#directUntil ? this.#living() : undefined, budgetMs)
    let timer: NodeJS.Timeout | undefined
    const hedge = new Promise<RouteReply>((resolve, reject) => {
      timer = setTimeout(() => {
        const other = this.#living()
        if (other === undefined) return
        this.#directUntil = now() + DIRECT_MS
        this.#askOne(question, other, budgetMs - hedgeAfterMs).then(resolve, reject)
      }, hedgeAfterMs)
    })
    try {
      // A refusal that comes at once (nobody there) is final; a late one leaves the hedge its chance.
      return await Promise.race([first, hedge])
    } finally {
      clearTimeout(timer)
      hedge.catch(() => {})
      first.catch(() => {})
    }
  }

  async #askOne(question: RouteRequest, instance: string | undefined, timeoutMs: number): Promise<RouteReply> {
    const { bus, now } = this.#options
    try {
      const reply =
        instance === undefined
          ? await bus.request(routeQuestion, {}, question, timeoutMs)
          : await bus.request(routeQuestionTo, { instance }, question, timeoutMs)
      this.#instances.set(reply.location, { answeredAt: now(), failedAt: Number.NEGATIVE_INFINITY })
      return reply
    } catch (error) {
      const known = instance === undefined ? undefined : this.#instances.get(instance)
      if (known !== undefined) known.failedAt = now()
      throw error
    }
  }

  /** The living take turns. */
  #living(): string | undefined {
    const now = this.#options.now()
    const living = [...this.#instances].filter(
      ([, { answeredAt, failedAt }]) => now - answeredAt < LIVING_MS && failedAt < answeredAt,
    )
    this.#turn += 1
    return living[this.#turn % living.length]?.[0]
  }
}
