import { randomBytes } from 'node:crypto'
import type { ProbeConfig } from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import {
  buildRequest,
  buildResponse,
  readOverload,
  scan,
  type SipRequest,
  type SipResponse,
  type Uri,
} from '@siplb/sip'
import type { Locator, Packet, SocketProblem } from '@siplb/sip/transport'
import { canaryInvite } from '../domain/canary-messages.ts'
import { fractionOf } from '../domain/hash.ts'
import { loadInAnswer } from '../domain/load-in-answer.ts'
import {
  isAnswerTo,
  onAnswer,
  onDeadline,
  onRefusal,
  onUnconnected,
  type Sample,
  type SentProbe,
} from '../domain/probe-result.ts'
import { probeRequest, type LocalAddress, type ProbeIds } from '../domain/probe-request.ts'
import { afterLoss, afterNews, firstPlan, NEXT_TICK, nextDue, takeDue, type Plan } from '../domain/probe-schedule.ts'
import type { ProberMetrics } from '../metrics.ts'
import { CanaryCalls } from './canary-calls.ts'
import { ProbeSocket } from './probe-socket.ts'
import type { ProxyLoad } from './proxy-load.ts'
import type { ProxyTls } from './proxy-tls.ts'
import type { SignalBatch } from './signal-batch.ts'

/** Messages of calls that wait for a connection: more than four calls have to say. */
const MOST_UNSENT = 16

export interface ProbeTools {
  readonly now: () => number
  readonly random: () => number
  readonly locator: Locator
  readonly tls: ProxyTls
  readonly signals: SignalBatch
  readonly metrics: ProberMetrics
  readonly log: Logger
}

/**
 * One proxy being probed.
 *
 * P1. Each probe gives one sample: answered, lost or refused.
 * P2. A probe has succeeded only by a message from the proxy's address with our branch and Call-ID. Nothing in this process
 *     ever makes a response of its own.
 * P3. The sample is taken from the first word of the proxy; a canary call behind it goes on until it is over, on its own.
 * P4. Where the way is a connection, a probe that is due waits for it. What cannot be made, or ends before the answer, is known at
 *     once; making it is no part of the response time.
 */
export class ProbeTarget {
  readonly #load: ProxyLoad
  readonly #tools: ProbeTools
  readonly #socket: ProbeSocket
  readonly #log: Logger
  readonly #calls: CanaryCalls
  readonly #pending = new Map<string, SentProbe>()
  /** Due, and waiting for a connection. */
  #waiting: readonly SentProbe[] = []
  /** Of calls, for the same: on a stream nothing is sent again. */
  #unsent: readonly Buffer[] = []
  #settings: ProbeConfig
  #plan: Plan
  #isUnwanted = false
  #deadStatus: number | undefined

  constructor(uri: Uri, load: ProxyLoad, settings: ProbeConfig, tools: ProbeTools) {
    this.#load = load
    this.#settings = settings
    this.#tools = tools
    const { locator, tls, log, metrics } = tools
    this.#log = log.child({ pool: load.proxy.pool, proxyId: load.proxy.id })
    this.#socket = new ProbeSocket({
      uri,
      locator,
      tls,
      log: this.#log,
      handlers: {
        onPacket: (packet) => this.#received(packet),
        onRefused: (problem) => this.#refused(problem),
        onError: (problem) => this.#failed(problem),
        onOpen: () => this.#opened(),
        onUnconnected: (code) => this.#unconnected(code),
        onClosed: () => this.#closed(),
      },
    })
    this.#calls = new CanaryCalls({
      proxy: load.proxy,
      metrics,
      send: (bytes) => this.#sendOfCall(bytes),
    })
    this.#plan = this.#planned()
  }

  /** New settings hold from the next probe. */
  configure(settings: ProbeConfig): void {
    this.#settings = settings
    this.#plan = this.#planned()
  }

  /** When it wants the next tick. */
  get nextAt(): number {
    if (this.#pending.size > 0 || this.#waiting.length > 0 || this.#unsent.length > 0) return NEXT_TICK
    const sendAt = this.#socket.hasWay ? nextDue(this.#plan) : Infinity
    return Math.min(sendAt, this.#socket.nextAt, this.#calls.nextAt)
  }

  /** Sends what is due; without a place to send it to it stays due. */
  tick(now: number): void {
    this.#calls.tick(now)
    this.#tickSocket(now)
    if (!this.#socket.hasWay) return
    const { plan, attempts } = takeDue(this.#plan, now, this.#tools.random)
    this.#plan = plan
    for (const attempt of attempts) {
      if (this.#socket.connection === undefined) this.#waiting = [...this.#waiting, this.#unsentProbe(attempt, now)]
      else this.#send(attempt)
    }
  }

  /** Call it when everything that lay in the socket has been read: after a stall of this process answers wait there. */
  expire(now: number): void {
    for (const probe of this.#pending.values()) if (probe.deadlineAt <= now) this.#settle(probe, onDeadline(probe, now))
    const late = this.#waiting.filter(({ deadlineAt }) => deadlineAt <= now)
    this.#waiting = this.#waiting.filter(({ deadlineAt }) => deadlineAt > now)
    for (const probe of late) this.#settle(probe, onDeadline(probe, now))
  }

  /** No more probes; what is under way gives no sample, and its calls are ended. True once nothing of them can be left. */
  leave(now: number): boolean {
    this.#pending.clear()
    this.#waiting = []
    if (!this.#isUnwanted) this.#calls.endAll(now)
    this.#isUnwanted = true
    this.#calls.tick(now)
    if (this.#socket.isDialled) this.#tickSocket(now)
    return this.#calls.isEmpty || (this.#socket.connection === undefined && this.#unsent.length === 0)
  }

  /** Whether the proxy holds a call of ours, or may be about to. */
  isInCalls(now: number): boolean {
    return this.#calls.isBusy(now)
  }

  close(): void {
    this.#socket.close()
    this.#pending.clear()
  }

  #tickSocket(now: number): void {
    this.#socket.tick(now, this.#waiting.length > 0 || this.#unsent.length > 0)
  }

  #planned(): Plan {
    const { now, random } = this.#tools
    return firstPlan(fractionOf(this.#load.proxy.key), this.#settings.intervalMs, now(), random)
  }

  #send(attempt: number): void {
    const { connection } = this.#socket
    const { method, timeoutMs } = this.#settings
    if (connection === undefined || (method === 'INVITE' && this.#calls.isFull())) return
    const ids = newIds()
    const bytes = this.#request(connection.local, ids)
    const sentAt = this.#tools.now()
    const { branch, callId } = ids
    this.#pending.set(branch, { method, branch, callId, attempt, sentAt, deadlineAt: sentAt + timeoutMs })
    if (method === 'INVITE') this.#calls.start(bytes, { ...this.#settings, isReliable: connection.isReliable }, sentAt)
    else connection.send(bytes)
  }

  #unsentProbe(attempt: number, now: number): SentProbe {
    const { method, timeoutMs } = this.#settings
    return { method, branch: '', callId: '', attempt, sentAt: now, deadlineAt: now + timeoutMs }
  }

  #sendOfCall(bytes: Buffer): void {
    const { connection, isDialled } = this.#socket
    if (connection !== undefined) connection.send(bytes)
    else if (isDialled) this.#unsent = [...this.#unsent, bytes].slice(-MOST_UNSENT)
  }

  #opened(): void {
    const unsent = this.#unsent
    const waiting = this.#waiting
    this.#unsent = []
    this.#waiting = []
    for (const bytes of unsent) this.#sendOfCall(bytes)
    for (const { attempt } of waiting) this.#send(attempt)
  }

  #unconnected(code: string): void {
    const waiting = this.#waiting
    const now = this.#tools.now()
    this.#waiting = []
    this.#tools.metrics.socketFailed(code === '' ? 'UNKNOWN' : code)
    for (const probe of waiting) this.#settle(probe, onUnconnected(probe, code, now))
  }

  #closed(): void {
    const now = this.#tools.now()
    this.#calls.refused(now)
    for (const probe of this.#pending.values()) this.#settle(probe, onDeadline(probe, now))
  }

  #request(local: LocalAddress, ids: ProbeIds): Buffer {
    const { method, from, user } = this.#settings
    const { uri } = this.#load.proxy
    return buildRequest(
      method === 'INVITE' ? canaryInvite(uri, user, from, local, ids) : probeRequest(uri, from, local, ids),
    )
  }

  #received({ bytes, receivedAt, framing }: Packet): void {
    const { metrics } = this.#tools
    const message = scan(bytes)
    if (message.kind === 'malformed' || framing !== undefined) return metrics.strayed('malformed')
    if (message.kind === 'request') return this.#asked(message)
    if (message.kind !== 'response') return metrics.strayed('not-a-response')
    const isOfCall = this.#calls.received(message, receivedAt)
    const probe = this.#pending.get(message.topVia.branch ?? '')
    if (probe !== undefined && isAnswerTo(probe, message)) return this.#answered(probe, message, receivedAt)
    // A retransmission, or too late.
    if (!isOfCall) metrics.strayed(probe === undefined ? 'unmatched' : 'foreign')
  }

  /** The callee of a canary call hung up first, or asks what we never offered (RFC 3261, 15.1.2, 12.2.2). */
  #asked(request: SipRequest): void {
    if (!this.#calls.knows(request) || request.method === 'ACK') return this.#tools.metrics.strayed('not-a-response')
    const status = request.method === 'BYE' ? 200 : 481
    this.#socket.connection?.send(buildResponse(request, { status }))
  }

  #answered(probe: SentProbe, response: SipResponse, at: number): void {
    this.#load.askedForLess(readOverload(response.topVia), at)
    const next = onAnswer(probe, { status: response.status, at }, this.#settings.aliveCodes)
    if ('branch' in next) {
      this.#pending.set(next.branch, next)
      return
    }
    this.#settle(probe, next)
    this.#load.answered(loadInAnswer(response, this.#settings.loadHeader))
  }

  /** It does not say which datagram was refused; but where nobody listens, no probe under way will be answered. */
  #refused({ code }: SocketProblem): void {
    // No route at all is rather a fault of this host.
    if (code === 'ENETUNREACH') this.#doubtPending()
    const now = this.#tools.now()
    this.#calls.refused(now)
    for (const probe of this.#pending.values()) this.#settle(probe, onRefusal(probe, now))
  }

  #failed({ code }: SocketProblem): void {
    this.#tools.metrics.socketFailed(code)
    this.#doubtPending()
  }

  #doubtPending(): void {
    for (const [branch, probe] of this.#pending) this.#pending.set(branch, { ...probe, isDoubtful: true })
  }

  #settle(probe: SentProbe, sample: Sample): void {
    this.#pending.delete(probe.branch)
    this.#tools.signals.addSample(this.#load.proxy, sample)
    const { outcome, status } = sample.result
    this.#sayAlive(outcome, status)
    this.#plan = outcome === 'lost' ? afterLoss(this.#plan, probe.attempt, sample.endedAt) : afterNews(this.#plan)
    if (outcome === 'answered') this.#socket.trust()
    else this.#socket.doubt(sample.endedAt)
  }

  /** Why a proxy that answers counts as lost is said once. */
  #sayAlive(outcome: Sample['result']['outcome'], status: number | undefined): void {
    const before = this.#deadStatus
    if (outcome === 'answered') this.#deadStatus = undefined
    else if (outcome === 'lost' && status !== undefined) this.#deadStatus = status
    if (this.#deadStatus === before) return
    if (this.#deadStatus === undefined) this.#log.info({ status }, 'answer to the probe counts as alive again')
    else
      this.#log.warn({ status }, 'answer to the probe does not count as alive: its status is not in probe.aliveCodes')
  }
}

/** Hard to guess, so that nobody can answer in the proxy's place. */
function newIds(): ProbeIds {
  const hex = randomBytes(28).toString('hex')
  return { branch: `z9hG4bK${hex.slice(0, 24)}`, callId: hex.slice(24, 48), fromTag: hex.slice(48) }
}
