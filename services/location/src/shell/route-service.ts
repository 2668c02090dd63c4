import type { Bus } from '@siplb/bus'
import {
  routeQuestion,
  routeQuestionTo,
  type Candidate,
  type PoolsConfig,
  type RouteAnswer,
  type RouteReply,
  type RouteRequest,
} from '@siplb/contracts'
import {
  createChooser,
  createMatcher,
  createRouteKeys,
  route,
  type Chooser,
  type Matcher,
  type RouteKeys,
  type Snapshot,
} from '@siplb/routing'
import type { Component } from '@siplb/runtime'
import { aheadTtlMs } from '../config.ts'
import { atLength, drawAhead, type DrawnAhead } from '../domain/choices-ahead.ts'
import type { LocationMetrics } from '../metrics.ts'
import type { AnswerTeller } from './answer-teller.ts'

export interface RouteServiceOptions {
  readonly bus: Bus
  readonly pools: PoolsConfig
  readonly snapshots: ReadonlyMap<string, Snapshot>
  readonly teller: AnswerTeller
  readonly metrics: LocationMetrics
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Answers routing questions, those of the queue group and those for this instance alone. */
export class RouteService implements Component {
  readonly name = 'routes'
  readonly #options: RouteServiceOptions
  readonly #chooser: Chooser
  #matcher: Matcher
  #routeKeys: RouteKeys

  constructor(options: RouteServiceOptions) {
    this.#options = options
    this.#chooser = createChooser(options.random)
    this.#matcher = createMatcher(options.pools)
    this.#routeKeys = createRouteKeys(options.pools)
  }

  configure(pools: PoolsConfig): void {
    this.#matcher = createMatcher(pools)
    this.#routeKeys = createRouteKeys(pools)
  }

  start(): void {
    const { bus } = this.#options
    const answer = (request: RouteRequest) => this.#answer(request)
    bus.serve(routeQuestion, {}, answer)
    bus.serve(routeQuestionTo, { instance: bus.instance }, answer)
  }

  #answer({ ingress, requests, ahead }: RouteRequest): RouteReply {
    const { bus, snapshots, teller, metrics, now } = this.#options
    const startedAt = now()
    const answers = requests.map((facts) => route(this.#matcher, snapshots, this.#chooser, facts, this.#routeKeys))
    const given = ahead === undefined ? undefined : this.#ahead(ahead.pool, ahead.count)
    metrics.questionTime.observe((now() - startedAt) / 1000)
    this.#count(answers, given)
    teller.answered(ingress, answers)
    if (given === undefined) return { location: bus.instance, answers }
    teller.gaveAhead(ingress, given)
    return { location: bus.instance, answers, ahead: ahead?.compact === true ? given : atLength(given) }
  }

  #ahead(pool: string, count: number): DrawnAhead | undefined {
    const snapshot = this.#options.snapshots.get(pool)
    return snapshot === undefined ? undefined : drawAhead(snapshot, this.#chooser, count, aheadTtlMs)
  }

  #count(answers: readonly RouteAnswer[], given: DrawnAhead | undefined): void {
    const { decisions, unrouted } = this.#options.metrics
    const decided = (pool: string, first: Candidate | undefined) => {
      if (first !== undefined) decisions.count(pool, first.proxy, 'location')
    }
    for (const answer of answers) {
      if (answer.outcome === 'routed') decided(answer.pool, answer.candidates[0])
      else unrouted.inc({ outcome: answer.outcome })
    }
    if (given === undefined) return
    const { pool, compact } = given
    for (const [first = 0] of compact.indexes) decided(pool, compact.candidates[first])
  }
}
