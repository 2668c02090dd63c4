import type { Candidate, RouteAnswer, Routed, RouteFacts } from '@siplb/contracts'
import { draw, route, type Snapshot } from '@siplb/routing'
import type { SipRequest } from '@siplb/sip'
import type { Target } from '../domain/branch.ts'
import type { Decided, Decision } from '../domain/decision-log.ts'
import type { Chosen } from '../domain/pool-overload.ts'
import { KnownProxies } from '../domain/known-proxies.ts'
import { classOf } from '../domain/request-class.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { IngressContext } from './context.ts'
import { isLoop } from './loop.ts'
import type { Answered } from './route-client.ts'
import type { Arrival } from './arrival.ts'

/** Where a new request may go, in the order in which it is to be tried. */
export type Routing =
  | { readonly kind: 'targets'; readonly targets: readonly Target[]; readonly decided: Decided | undefined }
  | { readonly kind: 'refused'; readonly status: 404 | 482 | 500 | 503; readonly isShed: boolean }

const none: readonly never[] = []

/** Asks location, falls back on the last table, and takes the last pick by what this ingress itself has outstanding. */
export class RequestRouter {
  readonly #ctx: IngressContext
  readonly #proxies = new KnownProxies()
  #lastId = 0

  constructor(ctx: IngressContext) {
    this.#ctx = ctx
  }

  choose(arrival: Arrival, done: (routing: Routing) => void): void {
    const { routes, now, metrics, attempt } = this.#ctx
    this.#lastId += 1
    const facts = factsOf(arrival, String(this.#lastId))
    const askedAt = now()
    const onAnswer = (answered: Answered) => {
      const routing = this.#decide(arrival, facts, answered, now())
      metrics.decisionTime.observe((now() - askedAt) / 1000)
      done(routing)
    }
    routes.ask(facts, (answered) => {
      // Whatever went wrong, the caller is not left waiting.
      if (!attempt(() => onAnswer(answered))) attempt(() => done({ kind: 'refused', status: 500, isShed: false }))
    })
  }

  /** For a request of a dialog: its own proxy, and others of the pool behind it where the pool lets its dialogs move. */
  ofDialog(token: RouteToken, request: { readonly callId: string; readonly method: string }): Routing {
    const { tables, config, metrics } = this.#ctx
    const { pool, proxy } = token
    const row = tables.get(pool)?.find(proxy)
    const uri = tables.uriOf(pool, proxy)
    const own = uri === undefined ? [] : [this.#proxies.target(pool, proxy, uri)]
    const others = config.pools[pool]?.dialogFailover === true ? this.#others(pool, proxy) : []
    // Known to be down: then the others first, for its refusal may never come.
    const targets = row?.state === 'down' && others.length > 0 ? [...others, ...own] : [...own, ...others]
    metrics.decisions.count(pool, proxy, 'token')
    if (targets.length === 0) return { kind: 'refused', status: 503, isShed: false }
    return { kind: 'targets', targets, decided: this.#decidedByToken(pool, request) }
  }

  #decidedByToken(pool: string, { callId, method }: Pick<SipRequest, 'callId' | 'method'>): Decided | undefined {
    // An ACK only follows its INVITE, and there are as many of them as calls.
    if (method === 'ACK') return undefined
    const { tables, now, decisions } = this.#ctx
    const { epoch = 0, seq = 0 } = tables.get(pool) ?? {}
    return decisions.add({ callId, method, at: now(), source: 'token', pool, epoch, seq, candidates: none })
  }

  #others(pool: string, except: string): Target[] {
    const snapshot = this.#ctx.tables.get(pool)
    if (snapshot === undefined) return []
    return this.#proxies
      .of(pool, draw(snapshot, this.#ctx.chooser).candidates)
      .filter(({ candidate }) => candidate.proxy !== except)
      .map(({ target }) => target)
  }

  #decide(arrival: Arrival, facts: RouteFacts, answered: Answered, at: number): Routing {
    const answer = this.#answerOf(facts, answered)
    if (answer.outcome !== 'routed')
      return { kind: 'refused', status: answer.outcome === 'no-pool' ? 404 : 503, isShed: false }
    const { pool, epoch, seq } = answer
    if (isLoop(this.#ctx, arrival.request, pool)) return { kind: 'refused', status: 482, isShed: false }
    const workOf = this.#ctx.trafficOf(pool).workAt(at)
    if (this.#ctx.shadows.has(pool)) this.#shadow(pool, facts, workOf)
    const chosen = this.#pick(arrival, answer, workOf, at)
    if (chosen.kind === 'shed') return { kind: 'refused', status: 503, isShed: true }
    const known = this.#proxies.of(pool, chosen.candidates)
    const candidates = known.map(({ candidate }) => candidate)
    const [first] = candidates
    if (first !== undefined) this.#ctx.metrics.decisions.count(pool, first.proxy, answered.source)
    const { callId, method } = facts
    const decision: Decision = { callId, method, at, source: answered.source, pool, epoch, seq, candidates }
    return { kind: 'targets', targets: known.map(({ target }) => target), decided: this.#ctx.decisions.add(decision) }
  }

  /** Counts where the shadow of the pool would have sent it. */
  #shadow(pool: string, facts: RouteFacts, workOf: (proxy: string) => number): void {
    const { shadows, routeKeys, attempt } = this.#ctx
    const keyOf = ({ policy }: Snapshot) => (policy === 'rendezvous' ? routeKeys.rendezvous(pool, facts) : undefined)
    attempt(() => shadows.choose(pool, keyOf, workOf))
  }

  #pick(
    { request, source }: Arrival,
    { pool, pick, candidates }: Routed,
    workOf: (proxy: string) => number,
    at: number,
  ): Chosen {
    const { tables, trusted, ingresses, config, metrics } = this.#ctx
    const traffic = this.#ctx.trafficOf(pool)
    const requestClass = classOf(request, trusted.has(source.address))
    const chosen = this.#ctx.overloadOf(pool).choose(
      {
        candidates,
        pick,
        challenger: this.#challenger(request, pool, at),
        requestClass,
        rows: tables.rowsOf(pool),
        workOf,
        mayShed: config.pools[pool]?.overload.shed === true,
        ingresses: ingresses.count(at),
      },
      at,
    )
    if (chosen.kind === 'shed') {
      metrics.shed.inc({ pool, class: requestClass })
      traffic.shed()
    } else if (chosen.divertedFrom !== undefined) metrics.diverted.inc({ pool, proxy: chosen.divertedFrom })
    return chosen
  }

  /** Who asked for the credentials that now come is asked again, as long as it takes new requests. */
  #challenger({ callId, from }: SipRequest, pool: string, at: number): Candidate | undefined {
    const { challenges, tables } = this.#ctx
    const proxy = challenges.find(callId, from.tag, pool, at)
    const row = proxy === undefined ? undefined : tables.get(pool)?.find(proxy)
    return row === undefined || row.weight === 0 ? undefined : { proxy: row.id, uri: row.uri, weight: row.weight }
  }

  #answerOf(facts: RouteFacts, answered: Answered): RouteAnswer {
    const { matcher, tables, chooser, routeKeys, metrics } = this.#ctx
    if (answered.source === 'location') return answered.answer
    metrics.fallbacks.inc({ why: answered.why })
    return route(matcher, tables.snapshots, chooser, facts, routeKeys)
  }
}

function factsOf({ request, source }: Arrival, id: string): RouteFacts {
  return {
    id,
    method: request.method.slice(0, 64),
    requestUri: request.requestUri,
    callId: request.callId,
    from: request.from.uri,
    to: request.to.uri,
    source: source.address,
  }
}
