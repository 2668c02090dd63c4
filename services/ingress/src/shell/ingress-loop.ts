import {
  buildResponse,
  cancelTargetKey,
  clientKey,
  defaultLimits,
  hasStatelessTag,
  HeaderId,
  readBranch,
  scan,
  type Answerable,
  type Limits,
  type Malformed,
  type Scanned,
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import type { Packet } from '@siplb/sip/transport'
import { admit, type Admission } from '../domain/admission.ts'
import type { Target } from '../domain/branch.ts'
import { receivedParams, replyPort, sentByPort } from '../domain/edits.ts'
import { methodLabel } from '../domain/methods.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { AckRelay } from './ack-relay.ts'
import { Arrival, type Own, type WayBack } from './arrival.ts'
import type { IngressContext } from './context.ts'
import type { Gate } from './gate.ts'
import { ForwardedRequest } from './forwarded-request.ts'
import type { RequestRouter } from './request-router.ts'
import { ServerTransaction, type ServerHooks, type ServerSide } from './server-transaction.ts'
import { standingOf } from './standing.ts'
import type { Siblings } from './siblings.ts'
import type { AddressBook } from './surroundings.ts'
import { wayByStream, wayFrom, type SendFrom } from './way-back.ts'

type Forward = Extract<Admission, { readonly kind: 'forward' }>

/** The one entrance: everything that any socket receives comes here, and goes from here to its transaction. */
export class IngressLoop {
  readonly #ctx: IngressContext
  readonly #addresses: AddressBook
  readonly #own: Own
  readonly #router: RequestRouter
  readonly #acks: AckRelay
  readonly #gate: Gate
  readonly #sendFrom: SendFrom
  readonly #serverHooks: ServerHooks
  #udpLimits: Limits = defaultLimits
  /** The other workers, where there are any. */
  siblings: Siblings | undefined

  constructor(
    ctx: IngressContext,
    addresses: AddressBook,
    router: RequestRouter,
    acks: AckRelay,
    gate: Gate,
    sendFrom: SendFrom,
  ) {
    this.#ctx = ctx
    this.#addresses = addresses
    this.#own = { addresses, tokens: ctx.tokens }
    this.#router = router
    this.#acks = acks
    this.#gate = gate
    this.#sendFrom = sendFrom
    this.#serverHooks = {
      accepted: (arrival, toTag) => gate.accepted(arrival, toTag),
      rests: (server, response, ms) => ctx.servers.rest(server, response, ms),
      ended: (server) => ctx.servers.remove(server),
    }
  }

  receive(packet: Packet): void {
    this.#ctx.attempt(() => this.#receive(packet))
  }

  /** INVITEs without a final response yet. */
  get pendingCalls(): number {
    let count = 0
    for (const { forwarded } of this.#ctx.servers.live()) if (forwarded?.isPending === true) count += 1
    return count
  }

  #receive(packet: Packet): void {
    const scanned = scan(packet.bytes, this.#limitsOf(packet))
    if (packet.framing !== undefined) return this.#refuseFraming(packet.framing, scanned, packet)
    switch (scanned.kind) {
      case 'keep-alive':
        return void this.#ctx.metrics.dropped.inc({ reason: 'keep-alive' })
      case 'malformed':
        return this.#refuse(scanned, packet)
      case 'response':
        return this.#response(scanned, packet)
      case 'request':
        return this.#request(this.#arrivalOf(scanned, packet), packet)
    }
  }

  /** Datagrams have a limit of their own; what comes on a stream was bounded by its framing. */
  #limitsOf({ flow }: Packet): Limits {
    if (flow.transport !== 'udp') return defaultLimits
    const { datagram } = this.#ctx.config.ingress.limits
    if (this.#udpLimits.datagram !== datagram) this.#udpLimits = { ...defaultLimits, datagram }
    return this.#udpLimits
  }

  #refuse({ message, status, problem }: Malformed, packet: Packet): void {
    const isAnswered = message !== undefined && this.#gate.letsAnswer(packet.flow.remote)
    this.#ctx.metrics.malformed.inc({ problem, answered: String(isAnswered) })
    if (isAnswered) this.#answerMalformed(message, status, packet)
  }

  /** A message on a stream whose end cannot be told: 400, and its connection ends (RFC 3261, 18.3). */
  #refuseFraming(problem: string, scanned: Scanned, packet: Packet): void {
    const message = scanned.kind === 'malformed' ? scanned.message : scanned.kind === 'request' ? scanned : undefined
    this.#ctx.metrics.malformed.inc({ problem, answered: String(message !== undefined) })
    if (message !== undefined && message.method !== 'ACK') this.#answerMalformed(message, 400, packet)
  }

  #answerMalformed(message: Answerable, status: number, { flow }: Packet): void {
    const response = buildResponse(message, { status, ...receivedParams(message, flow.remote) })
    this.#wayBack(message, flow).send(response)
  }

  #response(response: SipResponse, packet: Packet): void {
    const { clients, metrics } = this.#ctx
    const { flow } = packet
    metrics.responses.count(statusClass(response.status))
    const client = clients.get(clientKey(response))
    // RFC 6026, 8.9: what matches no transaction is dropped. Nor may a stranger answer for a proxy.
    if (client === undefined && this.#isOfSibling(response, packet)) return
    if (client === undefined) return void metrics.dropped.inc({ reason: 'unmatched-response' })
    if (client.link.endpoint.address !== flow.remote.address) {
      return void metrics.dropped.inc({ reason: 'foreign-response' })
    }
    client.handle(response)
  }

  #arrivalOf(request: SipRequest, { flow }: Packet): Arrival {
    return new Arrival(request, flow, this.#own, this.#wayBack(request, flow))
  }

  #wayBack(request: Pick<SipRequest, 'topVia'>, flow: Packet['flow']): WayBack {
    if (flow.isReliable) return wayByStream(flow, sentByPort(request.topVia), this.#ctx)
    const port = replyPort(request, flow.remote)
    return port === flow.remote.port ? flow : wayFrom(flow.local, { ...flow.remote, port }, this.#sendFrom)
  }

  /** By its branch: proxies answer to the port that asked, but one that dials may reach any of us. */
  #isOfSibling({ topVia }: SipResponse, packet: Packet): boolean {
    const branch = this.siblings === undefined ? undefined : readBranch(topVia.branch ?? '')
    if (branch === undefined || branch.instance !== this.#ctx.self.instance) return false
    return this.siblings?.carry(branch.worker, packet) === true
  }

  #request(arrival: Arrival, packet: Packet): void {
    if (this.#isKnown(arrival) || !this.#gate.lets(arrival)) return
    if (this.siblings !== undefined && this.#goesToSibling(this.siblings, arrival, packet)) return
    this.#begin(arrival)
  }

  #isKnown(arrival: Arrival): boolean {
    const known = this.#ctx.servers.get(arrival.key, arrival.hash)
    if (known === undefined) return false
    if (arrival.request.method === 'ACK') this.#ackOf(known, arrival)
    else {
      this.#ctx.metrics.retransmissions.inc()
      if (!known.requestCameAgain()) this.#ctx.metrics.dropped.inc({ reason: 'repeated-too-often' })
    }
    return true
  }

  /** Towards a phone whose connection another worker holds; or of a transaction that another worker may have. */
  #goesToSibling(siblings: Siblings, arrival: Arrival, packet: Packet): boolean {
    const { request } = arrival
    const { isOfDialog, holder } = standingOf(arrival, this.#ctx.self)
    if (holder !== undefined && siblings.carry(holder, packet)) return true
    const isStray =
      (request.method === 'CANCEL' && this.#ctx.servers.get(cancelTargetKey(request)) === undefined) ||
      (request.method === 'ACK' && !isOfDialog)
    if (!isStray && !siblings.isUnsettled) return false
    const keys = request.method === 'CANCEL' ? [arrival.key, cancelTargetKey(request)] : [arrival.key]
    return siblings.offer(packet, keys, () =>
      this.#ctx.attempt(() => {
        // A copy may have come meanwhile.
        if (!this.#isKnown(arrival)) this.#begin(arrival)
      }),
    )
  }

  #begin(arrival: Arrival): void {
    const { request } = arrival
    this.#note(arrival)
    if (request.method === 'ACK') return this.#ack(arrival)
    const server = this.#open(arrival)
    if (request.method === 'CANCEL') this.#cancel(server, request)
    else this.#new(server, arrival)
  }

  #note({ request, source }: Arrival): void {
    this.#ctx.metrics.requests.count(methodLabel(request.method), source.transport)
    this.#ctx.publisher.received(request, source)
  }

  #ackOf(server: ServerSide, ack: Arrival): void {
    if (server.isAcknowledged) this.#ctx.metrics.retransmissions.inc()
    else this.#note(ack)
    if (server.ack()) this.#acks.relay(ack)
  }

  #ack(arrival: Arrival): void {
    // For a response that we gave without a transaction.
    if (hasStatelessTag(arrival.request)) return void this.#ctx.metrics.dropped.inc({ reason: 'ack-of-own-answer' })
    this.#acks.relay(arrival)
  }

  #open(arrival: Arrival): ServerTransaction {
    const { servers, wheel } = this.#ctx
    const server = new ServerTransaction(arrival, wheel, this.#serverHooks)
    servers.add(server)
    return server
  }

  // 16.10: a matched CANCEL is answered at once; an unmatched one must not be guessed about.
  #cancel(server: ServerTransaction, request: SipRequest): void {
    const target = this.#ctx.servers.get(cancelTargetKey(request))
    if (target === undefined) return this.#answer(server, 481)
    const { forwarded } = target
    server.answer(200)
    forwarded?.cancel(request.values(HeaderId.Reason))
  }

  #new(server: ServerTransaction, arrival: Arrival): void {
    try {
      this.#admit(server, arrival)
    } catch (error) {
      // Whatever went wrong, the caller is not left waiting, nor his transaction here.
      server.answer(500)
      throw error
    }
  }

  #admit(server: ServerTransaction, arrival: Arrival): void {
    const { request, source, way } = arrival
    const admission = admit(request, way, source, this.#addresses)
    switch (admission.kind) {
      case 'answer':
        return this.#answer(server, admission.status, admission.headers)
      case 'health':
        return this.#answer(server, this.#isAble() ? 200 : 503)
      case 'choose':
        return this.#choose(server, arrival)
      case 'to-proxy':
        return this.#toProxy(server, arrival, admission.token)
      case 'forward':
        return this.#forward(server, arrival, admission)
    }
  }

  #choose(server: ServerTransaction, arrival: Arrival): void {
    const ctx = this.#ctx
    ctx.budget.earn(ctx.now())
    const forwarded = new ForwardedRequest(ctx, server, arrival, { token: undefined, purpose: 'choice' })
    this.#router.choose(arrival, (routing) => {
      if (routing.kind === 'targets') forwarded.start(routing.targets, routing.decided)
      // Shed without Retry-After (RFC 7339, 5.10): who is sent away for a time could come back all at once.
      else forwarded.answer(routing.status, routing.status === 503 && !routing.isShed)
    })
  }

  #toProxy(server: ServerTransaction, arrival: Arrival, token: RouteToken): void {
    const routing = this.#router.ofDialog(token, arrival.request)
    if (routing.kind === 'refused') return this.#answer(server, 481)
    const forwarded = new ForwardedRequest(this.#ctx, server, arrival, { token, purpose: 'dialog' })
    forwarded.start(routing.targets, routing.decided)
  }

  #forward(server: ServerTransaction, arrival: Arrival, { targets, from }: Forward): void {
    // RFC 5626, 5.3.1: who sent it may try another flow.
    if (targets.some((target) => isLost(this.#ctx, target))) return this.#answer(server, 430)
    const token = from === undefined ? arrival.way.token : undefined
    const origin = from === undefined ? {} : { from }
    new ForwardedRequest(this.#ctx, server, arrival, { token, purpose: 'outbound', ...origin }).start(targets)
  }

  #answer(server: ServerTransaction, status: number, headers: readonly (readonly [string, string])[] = []): void {
    this.#ctx.metrics.answered.inc({ status })
    server.answer(status, headers)
  }

  /** Whether a new request would find a proxy. */
  #isAble(): boolean {
    const { isDraining, tables } = this.#ctx
    return !isDraining && [...tables.snapshots.values()].some((snapshot) => !snapshot.isEmpty)
  }
}

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx', '6xx']

function statusClass(status: number): string {
  return classes[Math.floor(status / 100) - 1] ?? 'other'
}

/** A connection that is not there any more. */
function isLost(ctx: IngressContext, target: Target): boolean {
  return target.kind === 'flow' && target.endpoint.transport !== 'udp' && !ctx.hasConnection(target.endpoint)
}
