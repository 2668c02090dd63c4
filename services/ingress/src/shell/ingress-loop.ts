import {
  buildResponse,
  cancelTargetKey,
  clientKey,
  defaultLimits,
  HeaderId,
  parseRoutes,
  readBranch,
  scan,
  serverKey,
  statelessTag,
  type Answerable,
  type Limits,
  type Malformed,
  type Scanned,
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import type { Endpoint, Packet } from '@siplb/sip/transport'
import { readWay, type Way } from '../domain/affinity.ts'
import { admit, type Admission } from '../domain/admission.ts'
import type { Target } from '../domain/branch.ts'
import { receivedParams, replyPort, sentByPort } from '../domain/edits.ts'
import { methodLabel } from '../domain/methods.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { AckRelay } from './ack-relay.ts'
import type { IngressContext } from './context.ts'
import type { Gate } from './gate.ts'
import { ForwardedRequest } from './forwarded-request.ts'
import type { RequestRouter } from './request-router.ts'
import { standingOf } from './standing.ts'
import type { Siblings } from './siblings.ts'
import { ServerTransaction, type Arrival } from './server-transaction.ts'
import type { AddressBook } from './surroundings.ts'

type Forward = Extract<Admission, { readonly kind: 'forward' }>

/** Sends by the listening socket with this local address. */
export type SendFrom = (local: Endpoint, remote: Endpoint, bytes: Buffer) => void

/** The one entrance: everything that any socket receives comes here, and goes from here to its transaction. */
export class IngressLoop {
  readonly #ctx: IngressContext
  readonly #addresses: AddressBook
  readonly #router: RequestRouter
  readonly #acks: AckRelay
  readonly #gate: Gate
  readonly #sendFrom: SendFrom
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
    this.#router = router
    this.#acks = acks
    this.#gate = gate
    this.#sendFrom = sendFrom
  }

  receive(packet: Packet): void {
    this.#ctx.attempt(() => this.#receive(packet))
  }

  /** INVITEs without a final response yet. */
  get pendingCalls(): number {
    let count = 0
    for (const [, { forwarded }] of this.#ctx.servers.entries()) if (forwarded?.isPending === true) count += 1
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
    return { ...defaultLimits, datagram: this.#ctx.config.ingress.limits.datagram }
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
    this.#wayBack(message, flow)(response)
  }

  #response(response: SipResponse, packet: Packet): void {
    const { clients, metrics } = this.#ctx
    const { flow } = packet
    metrics.responses.inc({ class: `${Math.floor(response.status / 100)}xx` })
    const client = clients.get(clientKey(response))
    // RFC 6026, 8.9: what matches no transaction is dropped. Nor may a stranger answer for a proxy.
    if (client === undefined && this.#isOfSibling(response, packet)) return
    if (client === undefined) return void metrics.dropped.inc({ reason: 'unmatched-response' })
    if (client.request.link.endpoint.address !== flow.remote.address) {
      return void metrics.dropped.inc({ reason: 'foreign-response' })
    }
    client.handle(response)
  }

  #arrivalOf(request: SipRequest, { flow }: Packet): Arrival {
    const { remote, local } = flow
    return {
      request,
      source: remote,
      local,
      received: receivedParams(request, remote),
      isReliable: flow.isReliable,
      reply: this.#wayBack(request, flow),
    }
  }

  #wayBack(request: Pick<SipRequest, 'topVia'>, flow: Packet['flow']): (bytes: Buffer) => void {
    const { remote, local } = flow
    if (flow.isReliable) return (bytes) => this.#replyByStream(request, flow, bytes)
    const port = replyPort(request, remote)
    if (port === remote.port) return (bytes) => flow.send(bytes)
    return (bytes) => this.#sendFrom(local, { ...remote, port }, bytes)
  }

  /** On the connection that it came by, or, when that is gone, on one to its Via (RFC 3261, 18.2.2). */
  #replyByStream({ topVia }: Pick<SipRequest, 'topVia'>, flow: Packet['flow'], bytes: Buffer): void {
    if (flow.isOpen) return flow.send(bytes)
    const { transport, address } = flow.remote
    const way = this.#ctx.links.linkBack({ transport, address, port: sentByPort(topVia) })
    if (way === undefined) this.#ctx.metrics.dropped.inc({ reason: 'connection-gone' })
    else way.send(bytes)
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
    const { request } = arrival
    const known = this.#ctx.servers.get(serverKey(request))
    if (known === undefined) return false
    if (request.method === 'ACK') this.#ackOf(known, arrival)
    else {
      this.#ctx.metrics.retransmissions.inc()
      if (!known.requestCameAgain()) this.#ctx.metrics.dropped.inc({ reason: 'repeated-too-often' })
    }
    return true
  }

  /** Towards a phone whose connection another worker holds; or of a transaction that another worker may have. */
  #goesToSibling(siblings: Siblings, arrival: Arrival, packet: Packet): boolean {
    const { request } = arrival
    const { isOfDialog, holder } = standingOf(this.#ctx, request, this.#addresses)
    if (holder !== undefined && siblings.carry(holder, packet)) return true
    const isStray =
      (request.method === 'CANCEL' && this.#ctx.servers.get(cancelTargetKey(request)) === undefined) ||
      (request.method === 'ACK' && !isOfDialog)
    if (!isStray && !siblings.isUnsettled) return false
    const keys = request.method === 'CANCEL' ? [serverKey(request), cancelTargetKey(request)] : [serverKey(request)]
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
    if (request.method === 'CANCEL') this.#cancel(server)
    else this.#new(server)
  }

  #note({ request, source }: Arrival): void {
    this.#ctx.metrics.requests.inc({ method: methodLabel(request.method), transport: source.transport })
    this.#ctx.publisher.received(request, source)
  }

  #ackOf(server: ServerTransaction, ack: Arrival): void {
    if (server.isAcknowledged) this.#ctx.metrics.retransmissions.inc()
    else this.#note(ack)
    server.ack(ack)
  }

  #ack(arrival: Arrival): void {
    // For a response that we gave without a transaction.
    if (arrival.request.to.tag === statelessTag(arrival.request)) {
      return void this.#ctx.metrics.dropped.inc({ reason: 'ack-of-own-answer' })
    }
    this.#acks.relay(arrival)
  }

  #open(arrival: Arrival): ServerTransaction {
    const { servers, wheel } = this.#ctx
    const server = new ServerTransaction(arrival, wheel, {
      ackReceived: (ack) => this.#acks.relay(ack),
      accepted: (toTag) => this.#gate.accepted(arrival, toTag),
      ended: () => servers.remove(server.key),
    })
    servers.add(server.key, server)
    return server
  }

  // 16.10: a matched CANCEL is answered at once; an unmatched one must not be guessed about.
  #cancel(server: ServerTransaction): void {
    const target = this.#ctx.servers.get(cancelTargetKey(server.arrival.request))
    if (target === undefined) return this.#answer(server, 481)
    server.answer(200)
    target.forwarded?.cancel(server.arrival.request.values(HeaderId.Reason))
  }

  #new(server: ServerTransaction): void {
    try {
      this.#admit(server)
    } catch (error) {
      // Whatever went wrong, the caller is not left waiting, nor his transaction here.
      server.answer(500)
      throw error
    }
  }

  #admit(server: ServerTransaction): void {
    const { request, source } = server.arrival
    const routes = parseRoutes(request)
    if (routes === undefined) return this.#answer(server, 400)
    const way = readWay(request, routes, this.#addresses, this.#ctx.tokenKeys)
    const admission = admit(request, way, source, this.#addresses)
    switch (admission.kind) {
      case 'answer':
        return this.#answer(server, admission.status, admission.headers)
      case 'health':
        return this.#answer(server, this.#isAble() ? 200 : 503)
      case 'choose':
        return this.#choose(server, way)
      case 'to-proxy':
        return this.#toProxy(server, way, admission.token)
      case 'forward':
        return this.#forward(server, way, admission)
    }
  }

  #choose(server: ServerTransaction, way: Way): void {
    const ctx = this.#ctx
    ctx.budget.earn(ctx.now())
    const forwarded = new ForwardedRequest(ctx, server, { way, token: undefined, purpose: 'choice' })
    this.#router.choose(server.arrival, (routing) => {
      if (routing.kind === 'targets') forwarded.start(routing.targets, routing.decided)
      // Shed without Retry-After (RFC 7339, 5.10): who is sent away for a time could come back all at once.
      else forwarded.answer(routing.status, routing.status === 503 && !routing.isShed)
    })
  }

  #toProxy(server: ServerTransaction, way: Way, token: RouteToken): void {
    const routing = this.#router.ofDialog(token, server.arrival.request)
    if (routing.kind === 'refused') return this.#answer(server, 481)
    const forwarded = new ForwardedRequest(this.#ctx, server, { way, token, purpose: 'dialog' })
    forwarded.start(routing.targets, routing.decided)
  }

  #forward(server: ServerTransaction, way: Way, { targets, from }: Forward): void {
    // RFC 5626, 5.3.1: who sent it may try another flow.
    if (targets.some((target) => isLost(this.#ctx, target))) return this.#answer(server, 430)
    const token = from === undefined ? way.token : undefined
    const origin = from === undefined ? {} : { from }
    new ForwardedRequest(this.#ctx, server, { way, token, purpose: 'outbound', ...origin }).start(targets)
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

/** A connection that is not there any more. */
function isLost(ctx: IngressContext, target: Target): boolean {
  return target.kind === 'flow' && target.endpoint.transport !== 'udp' && !ctx.hasConnection(target.endpoint)
}
