import type { Bus } from '@siplb/bus'
import { routeAnswered, type ChoicesAhead, type RouteAnswer } from '@siplb/contracts'
import { nowMs, type Component, type Logger } from '@siplb/runtime'
import { tellEveryMs } from '../config.ts'
import type { LocationMetrics } from '../metrics.ts'

interface Told {
  readonly ingress: string
  readonly answer: RouteAnswer
}

/** So many wait for the next batch at most: answering comes before telling of it. */
const MOST_WAITING = 5000

/**
 * Tells everybody the candidate lists that were given, at a fixed rate at most. After a pause at once, together with the answer: to wake up for
 * it once more, and to write once more, costs more than all else that is done for an answer.
 */
export class AnswerTeller implements Component {
  readonly name = 'answers'
  readonly #bus: Pick<Bus, 'publish'>
  readonly #metrics: Pick<LocationMetrics, 'untold'>
  readonly #log: Logger
  #waiting: Told[] = []
  #isPlanned = false
  #timer: NodeJS.Timeout | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(bus: Pick<Bus, 'publish'>, metrics: Pick<LocationMetrics, 'untold'>, log: Logger) {
    this.#bus = bus
    this.#metrics = metrics
    this.#log = log
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#tell()
  }

  answered(ingress: string, answers: readonly RouteAnswer[]): void {
    for (const answer of answers) {
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ ingress, answer })
      else this.#metrics.untold.inc()
    }
    if (!this.#isPlanned && this.#waiting.length > 0) this.#plan()
  }

  gaveAhead(ingress: string, { pool, epoch, seq, policy, pick, choices }: ChoicesAhead): void {
    const common = { outcome: 'routed', id: '', pool, epoch, seq, policy, pick } as const
    this.answered(
      ingress,
      choices.map((candidates) => ({ ...common, candidates })),
    )
  }

  #plan(): void {
    this.#isPlanned = true
    const waitMs = this.#toldAt + tellEveryMs - nowMs()
    if (waitMs > 0) this.#timer = setTimeout(() => this.#tell(), waitMs)
    // Before the answer is written, which is a microtask too, so that both go out in one piece.
    else queueMicrotask(() => this.#tell())
  }

  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#isPlanned = false
    if (waiting.length === 0) return
    this.#toldAt = nowMs()
    try {
      this.#bus.publish(routeAnswered, {}, waiting)
    } catch (error) {
      this.#log.warn({ err: error }, 'answers not told')
    }
  }
}
