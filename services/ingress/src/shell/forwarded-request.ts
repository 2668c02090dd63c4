import type { Outcome } from '@siplb/contracts'
import { buildCancel, hasLineBreak, HeaderId, makeBranch, scan, type SipResponse } from '@siplb/sip'
import { isOpen, proxyOf, type Branch, type BranchFailure, type Target } from '../domain/branch.ts'
import type { Decided } from '../domain/decision-log.ts'
import { ResponseContext, type ForwardEffect, type Purpose } from '../domain/response-context.ts'
import type { RouteToken } from '../domain/route-token.ts'
import { silenceMs } from '../domain/silence.ts'
import { costOf, type Task } from '../domain/work-ledger.ts'
import { Attempt, type AttemptHost } from './attempt.ts'
import { ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { noteDialog } from './dialogs.ts'
import type { Link } from './link.ts'
import { writeRequest, type Onward } from './outgoing-request.ts'
import { readFeedback } from './overload-feedback.ts'
import { relayed } from './relay.ts'
import type { Arrival } from './arrival.ts'
import type { Forwarding, ServerTransaction } from './server-transaction.ts'
import { uniqueText } from './unique.ts'

/** Octets; anything larger goes by a connection where one is taken (RFC 3261, 18.1.1). */
const LARGEST_DATAGRAM = 1300

export interface ForwardOptions extends Omit<Onward, 'arrival'> {
  readonly purpose: Purpose
}

const none: readonly never[] = []

/** One request on its way to a proxy: runs its response context, and gives each branch its client transaction. */
export class ForwardedRequest implements Forwarding, AttemptHost {
  readonly #ctx: IngressContext
  readonly #server: ServerTransaction
  /** Given up when all is done: the timer of a CANCEL holds this for half a minute. */
  #onward: Onward | undefined
  readonly #method: string
  readonly #isReliable: boolean
  readonly #token: RouteToken | undefined
  readonly #context: ResponseContext
  #attempts: readonly Attempt[] = none
  #decided: Decided | undefined
  /** Why the caller cancelled: goes on with our CANCELs (RFC 3326, 2). */
  #cancelReasons: readonly string[] = none
  /** To tags of the 2xx that came: each makes a dialog of its own, and comes again until it is acknowledged. */
  #takenBy: readonly string[] = none

  constructor(ctx: IngressContext, server: ServerTransaction, arrival: Arrival, options: ForwardOptions) {
    const { request, isReliable } = arrival
    this.#ctx = ctx
    this.#server = server
    this.#onward = { ...options, arrival }
    this.#method = request.method
    this.#isReliable = isReliable
    this.#token = options.token
    this.#context = new ResponseContext({
      isInvite: this.#isInvite,
      purpose: options.purpose,
      // RFC 5393, 5.3.3: the first one has all the breadth that there is.
      mayFork: request.line(HeaderId.MaxBreadth) === undefined,
      takeRetry: ctx.takeRetry,
    })
    server.forwarded = this
  }

  get isPending(): boolean {
    return this.#isInvite && !this.#context.isAnswered
  }

  /** Those that refused a moment ago are tried last. */
  start(targets: readonly Target[], decided?: Decided): void {
    this.#decided = decided
    const isGone = ({ uri }: Target) => this.#ctx.links.knownLinkTo(uri)?.isGone === true
    const inOrder = targets.some(isGone) ? targets.toSorted((a, b) => Number(isGone(a)) - Number(isGone(b))) : targets
    this.#carryOut(this.#context.start(inOrder))
  }

  answer(status: number, retryLater = false): void {
    this.#carryOut(this.#context.answer(status, retryLater))
  }

  cancel(reasons: readonly string[]): void {
    this.#cancelReasons = reasons.filter((reason) => !hasLineBreak(reason))
    this.#carryOut(this.#context.cancel())
  }

  get #isInvite(): boolean {
    return this.#method === 'INVITE'
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
        return this.#attemptOf(effect.branch).timers.watchRinging()
      case 'relay':
        return this.#relay(effect.response)
      case 'answer':
        return this.#answer(effect.status, effect.retryLater)
      case 'outcome':
        return this.#outcome(effect.branch, effect.outcome)
      case 'done':
        return this.#handOver()
    }
  }

  /** The transactions live on for half a minute, and nothing of this is needed for that. */
  #handOver(): void {
    for (const attempt of this.#attempts) {
      attempt.handOver({
        method: this.#method,
        back: this.#server.back,
        isReliable: this.#isReliable,
        target: attempt.branch.target,
        token: this.#token,
        takenBy: this.#takenBy,
      })
    }
    this.#onward = undefined
    this.#context.forget()
  }

  #attemptOf(branch: Branch): Attempt {
    return this.#attempts.find((one) => one.branch === branch) ?? this.#newAttempt(branch)
  }

  #newAttempt(branch: Branch): Attempt {
    const attempt = new Attempt(branch, this, this.#ctx)
    this.#attempts = [...this.#attempts, attempt]
    return attempt
  }

  failed(branch: Branch, cause: BranchFailure): void {
    this.#carryOut(this.#context.failure(branch, cause))
  }

  silent(branch: Branch): void {
    this.#carryOut(this.#context.silence(branch))
  }

  #try(branch: Branch): void {
    if (branch.index > 0 && branch.target.kind === 'proxy')
      this.#ctx.metrics.failovers.inc({ pool: branch.target.pool })
    if (this.#onward === undefined) return
    const link = this.#ctx.wayTo(branch.target, this.#onward.arrival.local)
    const { attempt } = this.#ctx
    if (link instanceof Promise) void link.then((found) => attempt(() => this.#send(branch, found)))
    else this.#send(branch, link)
  }

  #send(branch: Branch, link: Link | undefined): void {
    if (this.#isGivenUp(branch)) return
    this.#begin(branch)
    if (link === undefined) return this.failed(branch, 'gone')
    const branchId = makeBranch({ ...this.#ctx.self, unique: uniqueText() })
    const onward = this.#onward
    if (onward === undefined) return
    const bytes = this.#write(onward, branch, link, branchId)
    const larger = bytes.length > LARGEST_DATAGRAM ? this.#ctx.largeWayTo(branch.target, link) : undefined
    if (larger === undefined) return this.#transact(branch, link, branchId, bytes)
    const { attempt } = this.#ctx
    void larger.then((stream) =>
      attempt(() => {
        if (stream === undefined) this.#transact(branch, link, branchId, bytes)
        else this.#transact(branch, stream, branchId, this.#write(onward, branch, stream, branchId))
      }),
    )
  }

  /** While its name was looked up, or a connection made: nothing has gone out yet, and nothing will. */
  #isGivenUp(branch: Branch): boolean {
    if (branch.cancel !== 'no') this.failed(branch, 'gone')
    return !isOpen(branch)
  }

  #write(onward: Onward, branch: Branch, link: Link, branchId: string): Buffer {
    return writeRequest(this.#ctx, onward, branch.target, link, branchId)
  }

  #transact(branch: Branch, link: Link, branchId: string, bytes: Buffer): void {
    if (this.#isGivenUp(branch)) return
    const request = { branchId, method: this.#method, bytes, link, sentAt: this.#ctx.now() }
    this.#attemptOf(branch).begin(request)
  }

  #begin(branch: Branch): void {
    const { target } = branch
    if (target.kind !== 'proxy') return
    const { pool, proxy } = target
    const cost = costOf(this.#ctx.tables.get(pool)?.costs, this.#method)
    const task: Task = { proxy, cost, isInvite: this.#isInvite, fresh: undefined, standing: undefined }
    this.#attemptOf(branch).task = task
    this.#decided?.triedAt(proxy)
    this.#ctx.trafficOf(pool).begin(task, this.#token === undefined)
  }

  heard(attempt: Attempt, client: ClientTransaction, response: SipResponse): void {
    const { branch, task } = attempt
    readFeedback(this.#ctx, branch.target, response)
    const isFinal = response.status >= 200
    if (!client.isAnswered && (isFinal || this.#isInvite)) {
      client.isAnswered = true
      const now = this.#ctx.now()
      const ms = client.isRetransmitted ? undefined : now - client.sentAt
      const first = { method: this.#method, status: response.status, ms, now }
      if (task !== undefined) this.#traffic(branch)?.firstResponse(task, first)
    }
    if (response.status === 401 || response.status === 407) this.#noteChallenge(response, branch.target)
    if (!this.#isRepeated(response)) {
      this.#ctx.publisher.received(response, client.link.endpoint, proxyOf(branch.target))
      if (isFinal) noteDialog(this.#ctx, this.#method, response, branch.target, this.#token)
    }
    if (isFinal) {
      attempt.stopTimers()
      // A 2xx stays for its retransmissions; of anything else nothing more can come that matters.
      client.link.pending.delete(attempt)
    }
    this.#carryOut(this.#context.response(branch, response))
  }

  #noteChallenge({ callId, from }: SipResponse, target: Target): void {
    if (target.kind === 'proxy') this.#ctx.challenges.note(callId, from.tag, target, this.#ctx.now())
  }

  #isRepeated({ status, to }: SipResponse): boolean {
    if (!this.#isInvite || status < 200 || status >= 300) return false
    const tag = to.tag ?? ''
    if (this.#takenBy.includes(tag)) return true
    this.#takenBy = [...this.#takenBy, tag]
    return false
  }

  #cancel(branch: Branch): void {
    const { client } = this.#attemptOf(branch)
    if (client === undefined) return
    const { bytes, link } = client
    const sent = scan(bytes, ownLimits)
    if (sent.kind !== 'request') return
    const branchId = sent.topVia.branch ?? ''
    const { wheel, clients, now } = this.#ctx
    const request = { branchId, method: 'CANCEL', bytes: buildCancel(sent, this.#reasons()), link, sentAt: now() }
    const cancel = new ClientTransaction(request, wheel, {
      response: (_, response) => {
        readFeedback(this.#ctx, branch.target, response)
        this.#ctx.publisher.received(response, link.endpoint, proxyOf(branch.target))
      },
      timeout: () => {},
      ended: () => clients.remove(cancel),
    })
    clients.add(cancel)
    // 9.1: when no 487 comes within 64*T1, the transaction is over all the same.
    wheel.set(32_000, () => this.#giveUp(branch))
  }

  // RFC 3326, 3.1: whose phone stops to ring because another one was picked up is not shown a missed call.
  #reasons(): (readonly [string, string])[] {
    const isTaken = this.#takenBy.length > 0
    const reasons = isTaken ? ['SIP ;cause=200 ;text="Call completed elsewhere"'] : this.#cancelReasons
    return reasons.map((reason) => ['Reason', reason] as const)
  }

  /** Proceeding has no timer of its own: who waits for nothing any more must end it. */
  #giveUp(branch: Branch): void {
    this.failed(branch, 'timeout')
    const { client } = this.#attemptOf(branch)
    if (client?.isWaiting === true) client.abandon()
  }

  #watchSilence(branch: Branch): void {
    const { target } = branch
    if (target.kind !== 'proxy' || this.#token !== undefined) return
    const p99Ms = this.#ctx.trafficOf(target.pool).p99Ms(target.proxy)
    this.#attemptOf(branch).timers.watchSilence(silenceMs(this.#method, p99Ms))
  }

  #relay(response: SipResponse): void {
    const bytes = relayed(this.#ctx, response, this.#isReliable)
    if (bytes !== undefined) this.#server.respond(response, bytes)
    else if (response.status >= 200) this.#answer(502, false)
  }

  #answer(status: number, retryLater: boolean): void {
    this.#ctx.metrics.answered.inc({ status })
    // At random, so that those we send away do not all come back at once.
    const seconds = 5 + Math.floor(this.#ctx.chooser.random() * 11)
    this.#server.answer(status, retryLater ? [['Retry-After', String(seconds)]] : [])
  }

  #outcome(branch: Branch, outcome: Outcome): void {
    const attempt = this.#attemptOf(branch)
    const { task } = attempt
    attempt.stopTimers()
    if (task !== undefined) this.#traffic(branch)?.end(task, outcome)
    if (task !== undefined) this.#decided?.endedAt(task.proxy, outcome)
    attempt.task = undefined
  }

  #traffic(branch: Branch) {
    return branch.target.kind === 'proxy' ? this.#ctx.trafficOf(branch.target.pool) : undefined
  }
}

/** What we sent may have grown over the limits of what we take in. */
const ownLimits = { datagram: 1e6, headerLine: 1e6, headerLines: 1e6, whitespaceRun: 1e6 }
