import { randomBytes } from 'node:crypto'
import type { ProbeConfig } from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import { buildRequest, readOverload, scan, type SipResponse } from '@siplb/sip'
import type { Packet, Resolver, SocketProblem } from '@siplb/sip/transport'
import { fractionOf } from '../domain/hash.ts'
import { loadInAnswer } from '../domain/load-in-answer.ts'
import { isAnswerTo, onAnswer, onDeadline, onRefusal, type Sample, type SentProbe } from '../domain/probe-result.ts'
import { probeRequest } from '../domain/probe-request.ts'
import { afterLoss, afterNews, firstPlan, takeDue, type Plan } from '../domain/probe-schedule.ts'
import type { ProberMetrics } from '../metrics.ts'
import { ProbeSocket } from './probe-socket.ts'
import type { ProxyLoad } from './proxy-load.ts'
import type { SignalBatch } from './signal-batch.ts'

export interface ProbeTools {
  readonly now: () => number
  readonly random: () => number
  readonly resolver: Resolver
  readonly signals: SignalBatch
  readonly metrics: ProberMetrics
  readonly log: Logger
}

/**
 * One proxy being probed.
 *
 * P1. Each probe gives one sample: answered, lost or refused.
 * P2. A probe has succeeded only by a datagram from the proxy's address with our branch and Call-ID. Nothing in this process
 *     ever makes a response of its own.
 */
export class ProbeTarget {
  readonly #load: ProxyLoad
  readonly #tools: ProbeTools
  readonly #socket: ProbeSocket
  readonly #pending = new Map<string, SentProbe>()
  #settings: ProbeConfig
  #plan: Plan

  constructor(address: { host: string; port: number }, load: ProxyLoad, settings: ProbeConfig, tools: ProbeTools) {
    this.#load = load
    this.#settings = settings
    this.#tools = tools
    const { resolver, log } = tools
    this.#socket = new ProbeSocket({
      ...address,
      resolver,
      log: log.child({ pool: load.proxy.pool, proxyId: load.proxy.id }),
      handlers: {
        onPacket: (packet) => this.#received(packet),
        onRefused: (problem) => this.#refused(problem),
        onError: (problem) => this.#failed(problem),
      },
    })
    this.#plan = this.#planned()
  }

  /** New settings hold from the next probe. */
  configure(settings: ProbeConfig): void {
    this.#settings = settings
    this.#plan = this.#planned()
  }

  /** Sends what is due; without a way to the proxy it stays due. */
  tick(now: number): void {
    this.#socket.tick(now)
    if (this.#socket.connection === undefined) return
    const { plan, attempts } = takeDue(this.#plan, now, this.#tools.random)
    this.#plan = plan
    for (const attempt of attempts) this.#send(attempt)
  }

  /** Call it when everything that lay in the socket has been read: after a stall of this process answers wait there. */
  expire(now: number): void {
    for (const probe of this.#pending.values()) if (probe.deadlineAt <= now) this.#settle(probe, onDeadline(probe, now))
  }

  close(): void {
    this.#socket.close()
    this.#pending.clear()
  }

  #planned(): Plan {
    const { now, random } = this.#tools
    return firstPlan(fractionOf(this.#load.proxy.key), this.#settings.intervalMs, now(), random)
  }

  #send(attempt: number): void {
    const { connection } = this.#socket
    if (connection === undefined) return
    const ids = newIds()
    const bytes = buildRequest(probeRequest(this.#load.proxy.uri, this.#settings.from, connection.local, ids))
    const sentAt = this.#tools.now()
    const { branch, callId } = ids
    this.#pending.set(branch, {
      method: 'OPTIONS',
      branch,
      callId,
      attempt,
      sentAt,
      deadlineAt: sentAt + this.#settings.timeoutMs,
    })
    connection.send(bytes)
  }

  #received({ bytes, receivedAt }: Packet): void {
    const { metrics } = this.#tools
    const message = scan(bytes)
    if (message.kind === 'malformed') return metrics.strayed('malformed')
    if (message.kind !== 'response') return metrics.strayed('not-a-response')
    const probe = this.#pending.get(message.topVia.branch ?? '')
    // A retransmission, or too late.
    if (probe === undefined) return metrics.strayed('unmatched')
    if (!isAnswerTo(probe, message)) return metrics.strayed('foreign')
    this.#load.askedForLess(readOverload(message.topVia), receivedAt)
    this.#answered(probe, message, receivedAt)
  }

  #answered(probe: SentProbe, response: SipResponse, at: number): void {
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
    const isLost = sample.result.outcome === 'lost'
    this.#plan = isLost ? afterLoss(this.#plan, probe.attempt, sample.endedAt) : afterNews(this.#plan)
    if (sample.result.outcome !== 'answered') this.#socket.doubt(sample.endedAt)
  }
}

/** Hard to guess, so that nobody can answer in the proxy's place. */
function newIds() {
  const hex = randomBytes(28).toString('hex')
  return { branch: `z9hG4bK${hex.slice(0, 24)}`, callId: hex.slice(24, 48), fromTag: hex.slice(48) }
}
