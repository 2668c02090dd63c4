import type { Bus } from '@siplb/bus'
import { routeAnswered, type ChoicesAhead, type RouteAnswer } from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { tellEveryMs } from '../config.ts'
import type { LocationMetrics } from '../metrics.ts'

interface Told {
  readonly ingress: string
  readonly answer: RouteAnswer
}

/** So many wait for the next batch at most: answering comes before telling of it. */
const MOST_WAITING = 5000

/** Tells everybody the candidate lists that were given, at a fixed rate. */
export class AnswerTeller implements Component {
  readonly name = 'answers'
  readonly #bus: Bus
  readonly #metrics: LocationMetrics
  readonly #ticker: Component
  #waiting: Told[] = []

  constructor(bus: Bus, metrics: LocationMetrics, log: Logger) {
    this.#bus = bus
    this.#metrics = metrics
    const onError = (error: unknown) => log.warn({ err: error }, 'answers not told')
    this.#ticker = createTicker({ name: this.name, everyMs: tellEveryMs, run: () => this.#tell(), onError })
  }

  start(): void {
    void this.#ticker.start?.()
  }

  stop(): void {
    void this.#ticker.stop?.()
    this.#tell()
  }

  answered(ingress: string, answers: readonly RouteAnswer[]): void {
    for (const answer of answers) {
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ ingress, answer })
      else this.#metrics.untold.inc()
    }
  }

  gaveAhead(ingress: string, { pool, epoch, seq, policy, pick, choices }: ChoicesAhead): void {
    const common = { outcome: 'routed', id: '', pool, epoch, seq, policy, pick } as const
    this.answered(
      ingress,
      choices.map((candidates) => ({ ...common, candidates })),
    )
  }

  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#bus.publish(routeAnswered, {}, waiting)
  }
}
