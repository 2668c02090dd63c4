import type { Bus, EventBatch } from '@siplb/bus'
import { routeAnswered, type RouteAnswer } from '@siplb/contracts'
import { nowMs, type Component, type Logger } from '@siplb/runtime'
import { tellEveryMs } from '../config.ts'
import type { DrawnAhead } from '../domain/choices-ahead.ts'
import type { LocationMetrics } from '../metrics.ts'

/** So many wait for the next batch at most: answering comes before telling of it. */
const MOST_WAITING = 5000

const [none, end] = [Buffer.from(''), Buffer.from(']}')]

/**
 * Tells everybody the candidate lists that were given, at a fixed rate at most. After a pause at once, together with the answer: to wake up for
 * it once more, and to write once more, costs more than all else that is done for an answer.
 */
export class AnswerTeller implements Component {
  readonly name = 'answers'
  readonly #events: EventBatch
  readonly #metrics: Pick<LocationMetrics, 'untold'>
  readonly #log: Logger
  #isPlanned = false
  #timer: NodeJS.Timeout | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(bus: Pick<Bus, 'batch'>, metrics: Pick<LocationMetrics, 'untold'>, log: Logger) {
    this.#events = bus.batch(routeAnswered, {})
    this.#metrics = metrics
    this.#log = log
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#tell()
  }

  answered(ingress: string, answers: readonly RouteAnswer[]): void {
    for (const answer of answers) this.#note(ingress, [Buffer.from(JSON.stringify(answer))])
    this.#plan()
  }

  /** Each as if it had been asked for by itself. There are thousands of them a second, of few candidates. */
  gaveAhead(ingress: string, { pool, epoch, seq, policy, pick, compact }: DrawnAhead): void {
    const common = JSON.stringify({ outcome: 'routed', id: '', pool, epoch, seq, policy, pick })
    const start = Buffer.from(`${common.slice(0, -1)},"candidates":[`)
    const first = compact.candidates.map((candidate) => Buffer.from(JSON.stringify(candidate)))
    const further = first.map((candidate) => Buffer.concat([Buffer.from(','), candidate]))
    for (const places of compact.indexes) {
      this.#note(ingress, [start, ...places.map((place, i) => (i === 0 ? first : further)[place] ?? none), end])
    }
    this.#plan()
  }

  #note(ingress: string, answer: readonly Uint8Array[]): void {
    if (this.#events.size >= MOST_WAITING) return this.#metrics.untold.inc()
    const event = this.#events.begin()
    event.text('ingress', ingress)
    event.json('answer', answer)
    this.#events.end()
  }

  #plan(): void {
    if (this.#isPlanned || this.#events.size === 0) return
    this.#isPlanned = true
    const waitMs = this.#toldAt + tellEveryMs - nowMs()
    if (waitMs > 0) this.#timer = setTimeout(() => this.#tell(), waitMs)
    // Before the answer is written, which is a microtask too, so that both go out in one piece.
    else queueMicrotask(() => this.#tell())
  }

  #tell(): void {
    this.#isPlanned = false
    if (this.#events.size === 0) return
    try {
      this.#events.send()
    } catch (error) {
      this.#log.warn({ err: error }, 'answers not told')
    }
    this.#toldAt = nowMs()
  }
}
