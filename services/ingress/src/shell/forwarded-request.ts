import type { Outcome } from '@siplb/contracts'
import { buildCancel, hasLineBreak, HeaderId, makeBranch, scan, type SipResponse } from '@siplb/sip'
import { isOpen, type Branch, type Target } from '../domain/branch.ts'
import type { Decided } from '../domain/decision-log.ts'
import { relayResponse } from '../domain/edits.ts'
import { ResponseContext, type ForwardEffect, type Purpose } from '../domain/response-context.ts'
import { silenceMs } from '../domain/silence.ts'
import { costOf, type Task } from '../domain/work-ledger.ts'
import { BranchTimers } from './branch-timers.ts'
import { ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { noteDialog } from './dialogs.ts'
import type { Link } from './link.ts'
import { writeRequest, type Onward } from './outgoing-request.ts'
import { readFeedback } from './overload-feedback.ts'
import type { Arrival, Forwarding, ServerTransaction } from './server-transaction.ts'
import { uniqueText } from './unique.ts'

/** Octets; anything larger goes by a connection where one is taken (RFC 3261, 18.1.1). */
const LARGEST_DATAGRAM = 1300

export interface ForwardOptions extends Omit<Onward, 'arrival'> {
  readonly purpose: Purpose
}

/** One request on its way to a proxy: runs its response context, and gives each branch its client transaction. */
export class ForwardedRequest implements Forwarding {
  readonly #ctx: IngressContext
  readonly #server: ServerTransaction
  readonly #arrival: Arrival
  readonly #options: ForwardOptions
  readonly #context: ResponseContext
  readonly #clients = new Map<Branch, ClientTransaction>()
  #decided: Decided | undefined
  readonly #tasks = new Map<Branch, Task>()
  readonly #timers: BranchTimers
  /** Why the caller cancelled: goes on with our CANCELs (RFC 3326, 2). */
  #cancelReasons: readonly string[] = []
  /** To tags of the 2xx that came: each makes a dialog of its own, and comes again until it is acknowledged. */
  readonly #takenBy = new Set<string>()

  constructor(ctx: IngressContext, server: ServerTransaction, options: ForwardOptions) {
    this.#ctx = ctx
    this.#server = server
    this.#arrival = server.arrival
    this.#options = options
    this.#context = new ResponseContext({
      isInvite: this.#method === 'INVITE',
      purpose: options.purpose,
      // RFC 5393, 5.3.3: the first one has all the breadth that there is.
      mayFork: server.arrival.request.line(HeaderId.MaxBreadth) === undefined,
      takeRetry: () => ctx.budget.take(ctx.now()),
    })
    this.#timers = new BranchTimers(ctx.wheel, {
      silent: (branch) => this.#carryOut(this.#context.silence(branch)),
      rangOut: (branch) => this.#carryOut(this.#context.failure(branch, 'rang-out')),
    })
    server.forwarded = this
  }

  get isPending(): boolean {
    return this.#method === 'INVITE' && !this.#context.isAnswered
  }

  /** Those that refused a moment ago are tried last. */
  start(targets: readonly Target[], decided?: Decided): void {
    this.#decided = decided
    const isGone = ({ uri }: Target) => this.#ctx.links.knownLinkTo(uri)?.isGone === true
    const gone = targets.filter(isGone)
    this.#carryOut(this.#context.start(gone.length === 0 ? targets : [...targets.filter((t) => !isGone(t)), ...gone]))
  }

  answer(status: number, retryLater = false): void {
    this.#carryOut(this.#context.answer(status, retryLater))
  }

  cancel(reasons: readonly string[]): void {
    this.#cancelReasons = reasons.filter((reason) => !hasLineBreak(reason))
    this.#carryOut(this.#context.cancel())
  }

  get #method(): string {
    return this.#arrival.request.method
  }

  #carryOut(effects: readonly ForwardEffect[]): void {
    for (const effect of effects) this.#carryOutOne(effect)
  }

  #carryOutOne(effect: ForwardEffect): void {
    switch (effect.kind) {
      case 'try':
        return this.#try(effect.branch)
      case 'cancel':
        return this.#cancel(effect.branch)
      case 'watch-silence':
        return this.#watchSilence(effect.branch)
      case 'watch-ringing':
        return this.#timers.watchRinging(effect.branch)
      case 'relay':
        return this.#relay(effect.response)
      case 'answer':
        return this.#answer(effect.status, effect.retryLater)
      case 'outcome':
        return this.#outcome(effect.branch, effect.outcome)
      case 'done':
        return
    }
  }

  #try(branch: Branch): void {
    if (branch.index > 0 && branch.target.kind === 'proxy')
      this.#ctx.metrics.failovers.inc({ pool: branch.target.pool })
    const link = this.#ctx.wayTo(branch.target, this.#arrival.local)
    const { attempt } = this.#ctx
    if (link instanceof Promise) void link.then((found) => attempt(() => this.#send(branch, found)))
    else this.#send(branch, link)
  }

  #send(branch: Branch, link: Link | undefined): void {
    if (this.#isGivenUp(branch)) return
    this.#begin(branch)
    if (link === undefined) return this.#carryOut(this.#context.failure(branch, 'gone'))
    const branchId = makeBranch({ ...this.#ctx.self, unique: uniqueText() })
    const bytes = this.#write(branch, link, branchId)
    const larger = bytes.length > LARGEST_DATAGRAM ? this.#ctx.largeWayTo(branch.target, link) : undefined
    if (larger === undefined) return this.#transact(branch, link, branchId, bytes)
    const { attempt } = this.#ctx
    void larger.then((stream) =>
      attempt(() => {
        if (stream === undefined) this.#transact(branch, link, branchId, bytes)
        else this.#transact(branch, stream, branchId, this.#write(branch, stream, branchId))
      }),
    )
  }

  /** While its name was looked up, or a connection made: nothing has gone out yet, and nothing will. */
  #isGivenUp(branch: Branch): boolean {
    if (branch.cancel !== 'no') this.#carryOut(this.#context.failure(branch, 'gone'))
    return !isOpen(branch)
  }

  #write(branch: Branch, link: Link, branchId: string): Buffer {
    return writeRequest(this.#ctx, { ...this.#options, arrival: this.#arrival }, branch.target, link, branchId)
  }

  #transact(branch: Branch, link: Link, branchId: string, bytes: Buffer): void {
    if (this.#isGivenUp(branch)) return
    const { wheel, clients, now, attempt } = this.#ctx
    const client = new ClientTransaction({ branchId, method: this.#method, bytes, link, sentAt: now() }, wheel, {
      response: (response) => this.#response(branch, client, response),
      timeout: () => this.#carryOut(this.#context.failure(branch, 'timeout')),
      ended: () => {
        clients.remove(client.key)
        link.pending.delete(client)
        this.#clients.delete(branch)
      },
    })
    this.#clients.set(branch, client)
    clients.add(client.key, client)
    link.pending.set(client, () => {
      client.abandon()
      attempt(() => this.#carryOut(this.#context.failure(branch, 'gone')))
    })
  }

  #begin(branch: Branch): void {
    const { target } = branch
    if (target.kind !== 'proxy') return
    const { pool, proxy } = target
    const cost = costOf(this.#ctx.tables.get(pool)?.costs, this.#method)
    const task = { proxy, cost, isInvite: this.#method === 'INVITE' }
    this.#tasks.set(branch, task)
    if (this.#decided !== undefined) this.#ctx.decisions.tried(this.#decided, proxy)
    this.#ctx.trafficOf(pool).begin(task, this.#options.token === undefined)
  }

  #response(branch: Branch, client: ClientTransaction, response: SipResponse): void {
    const { request } = client
    readFeedback(this.#ctx, branch.target, response)
    const isFinal = response.status >= 200
    if (!client.isAnswered && (isFinal || this.#method === 'INVITE')) {
      client.isAnswered = true
      const now = this.#ctx.now()
      const ms = client.isRetransmitted ? undefined : now - request.sentAt
      const task = this.#tasks.get(branch)
      const first = { method: this.#method, status: response.status, ms, now }
      if (task !== undefined) this.#traffic(branch)?.firstResponse(task, first)
    }
    if (response.status === 401 || response.status === 407) this.#noteChallenge(response, branch.target)
    if (!this.#isRepeated(response)) {
      this.#ctx.publisher.received(response, request.link.endpoint, proxyOf(branch.target))
      if (isFinal) noteDialog(this.#ctx, this.#arrival.request, response, branch.target, this.#options.token)
    }
    if (isFinal) {
      this.#timers.stop(branch)
      // A 2xx stays for its retransmissions; of anything else nothing more can come that matters.
      request.link.pending.delete(client)
    }
    this.#carryOut(this.#context.response(branch, response))
  }

  #noteChallenge({ callId, from }: SipResponse, target: Target): void {
    if (target.kind === 'proxy') this.#ctx.challenges.note(callId, from.tag, target, this.#ctx.now())
  }

  #isRepeated({ status, to }: SipResponse): boolean {
    if (this.#method !== 'INVITE' || status < 200 || status >= 300) return false
    const isKnown = this.#takenBy.has(to.tag ?? '')
    this.#takenBy.add(to.tag ?? '')
    return isKnown
  }

  #cancel(branch: Branch): void {
    const client = this.#clients.get(branch)
    if (client === undefined) return
    const { branchId, bytes, link } = client.request
    const sent = scan(bytes, ownLimits)
    if (sent.kind !== 'request') return
    const { wheel, clients, now } = this.#ctx
    const request = { branchId, method: 'CANCEL', bytes: buildCancel(sent, this.#reasons()), link, sentAt: now() }
    const cancel = new ClientTransaction(request, wheel, {
      response: (response) => {
        readFeedback(this.#ctx, branch.target, response)
        this.#ctx.publisher.received(response, link.endpoint, proxyOf(branch.target))
      },
      timeout: () => {},
      ended: () => clients.remove(cancel.key),
    })
    clients.add(cancel.key, cancel)
    // 9.1: when no 487 comes within 64*T1, the transaction is over all the same.
    wheel.set(32_000, () => this.#giveUp(branch))
  }

  // RFC 3326, 3.1: whose phone stops to ring because another one was picked up is not shown a missed call.
  #reasons(): (readonly [string, string])[] {
    const isTaken = this.#takenBy.size > 0
    const reasons = isTaken ? ['SIP ;cause=200 ;text="Call completed elsewhere"'] : this.#cancelReasons
    return reasons.map((reason) => ['Reason', reason] as const)
  }

  /** Proceeding has no timer of its own: who waits for nothing any more must end it. */
  #giveUp(branch: Branch): void {
    this.#carryOut(this.#context.failure(branch, 'timeout'))
    const client = this.#clients.get(branch)
    if (client?.isWaiting === true) client.abandon()
  }

  #watchSilence(branch: Branch): void {
    const { target } = branch
    if (target.kind !== 'proxy' || this.#options.token !== undefined) return
    this.#timers.watchSilence(branch, silenceMs(this.#method, this.#ctx.trafficOf(target.pool).p99Ms(target.proxy)))
  }

  #relay(response: SipResponse): void {
    // A response with our Via alone has nobody to go to (16.7 step 3).
    if (!response.topVia.hasMore) {
      this.#ctx.metrics.dropped.inc({ reason: 'response-for-us' })
      if (response.status >= 200) this.#answer(502, false)
      return
    }
    this.#server.respond(response, relayResponse(response, this.#arrival.isReliable))
  }

  #answer(status: number, retryLater: boolean): void {
    this.#ctx.metrics.answered.inc({ status })
    // At random, so that those we send away do not all come back at once.
    const seconds = 5 + Math.floor(this.#ctx.chooser.random() * 11)
    this.#server.answer(status, retryLater ? [['Retry-After', String(seconds)]] : [])
  }

  #outcome(branch: Branch, outcome: Outcome): void {
    this.#timers.stop(branch)
    const task = this.#tasks.get(branch)
    if (task !== undefined) this.#traffic(branch)?.end(task, outcome)
    if (task !== undefined && this.#decided !== undefined) this.#ctx.decisions.ended(this.#decided, task.proxy, outcome)
    this.#tasks.delete(branch)
  }

  #traffic(branch: Branch) {
    return branch.target.kind === 'proxy' ? this.#ctx.trafficOf(branch.target.pool) : undefined
  }
}

/** What we sent may have grown over the limits of what we take in. */
const ownLimits = { datagram: 1e6, headerLine: 1e6, headerLines: 1e6, whitespaceRun: 1e6 }

function proxyOf(target: Target): { readonly pool: string; readonly proxy: string } | undefined {
  return target.kind === 'proxy' ? { pool: target.pool, proxy: target.proxy } : undefined
}
