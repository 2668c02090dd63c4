import { defaultTimers, scan, type SipRequest, type SipResponse, type Timers } from '@siplb/sip'
import {
  isExpected,
  isForgotten,
  isOpen,
  startCanary,
  stepCanary,
  type CanaryCall,
  type CanaryEvent,
  type CanaryPlan,
  type CanaryStep,
} from '../domain/canary-call.ts'
import { NEXT_TICK } from '../domain/probe-schedule.ts'
import type { ProbedProxy } from '../domain/probed-proxy.ts'
import type { ProberMetrics } from '../metrics.ts'

/** Of calls that hang at the same proxy; more would be a load test. */
const MOST_OPEN = 4

export interface CanaryCallsOptions {
  readonly proxy: ProbedProxy
  readonly metrics: ProberMetrics
  /** To the proxy, whatever a Route says: by our socket, or not at all while there is none. */
  readonly send: (bytes: Buffer) => void
  readonly timers?: Timers
}

/** The canary calls at one proxy, from the INVITE until nothing of them can come any more. */
export class CanaryCalls {
  readonly #options: CanaryCallsOptions
  readonly #timers: Timers
  /** By the branch of the INVITE. */
  readonly #calls = new Map<string, CanaryCall>()

  constructor(options: CanaryCallsOptions) {
    this.#options = options
    this.#timers = options.timers ?? defaultTimers
  }

  /** Whether the callee holds a call, or may be about to. */
  isBusy(now: number): boolean {
    return this.#calls.values().some((call) => isOpen(call) || isExpected(call, now))
  }

  /** Whether nothing of any call can come any more. */
  get isEmpty(): boolean {
    return this.#calls.size === 0
  }

  /** Counts the probe that is left out. */
  isFull(): boolean {
    const { proxy, metrics } = this.#options
    const isFull = [...this.#calls.values()].filter(isOpen).length >= MOST_OPEN
    if (isFull) metrics.canaryLeftOut(proxy)
    return isFull
  }

  start(invite: Buffer, plan: Omit<CanaryPlan, 'timers'>, now: number): void {
    const request = scan(invite)
    if (request.kind !== 'request') throw new TypeError('a canary call was begun with octets that are no request')
    const { branch = '' } = request.topVia
    this.#take(branch, startCanary(request, { ...plan, timers: this.#timers }, now), now)
  }

  /** False when it belongs to no call of ours. */
  received(response: SipResponse, now: number): boolean {
    const branch = inviteBranch(response.topVia.branch ?? '')
    const call = this.#calls.get(branch)
    if (call === undefined || !isOfCall(call, response)) return false
    this.#take(branch, stepCanary(call, { kind: 'response', response }, now), now)
    return true
  }

  /** Whether a request of the callee belongs to a call of ours, such as a BYE that crosses ours. */
  knows(request: SipRequest): boolean {
    return this.#calls.values().some(({ invite }) => invite.callId === request.callId)
  }

  /** When something of them is due. */
  get nextAt(): number {
    const calls = [...this.#calls.values()]
    return calls.some(isOpen) ? NEXT_TICK : Math.min(...calls.map(({ forgetAt }) => forgetAt))
  }

  tick(now: number): void {
    this.#stepAll({ kind: 'tick' }, now)
  }

  refused(now: number): void {
    this.#stepAll({ kind: 'refused' }, now)
  }

  /** What rings or tries is cancelled, what is answered is being hung up in any case. */
  endAll(now: number): void {
    this.#stepAll({ kind: 'unwanted' }, now)
  }

  #stepAll(event: CanaryEvent, now: number): void {
    for (const [branch, call] of this.#calls) this.#take(branch, stepCanary(call, event, now), now)
  }

  #take(branch: string, [call, effects]: CanaryStep, now: number): void {
    const { proxy, metrics, send } = this.#options
    for (const effect of effects) {
      if (effect.kind === 'send') send(effect.bytes)
      else metrics.canaryEnded(proxy, effect.ending)
    }
    if (isForgotten(call, now)) this.#calls.delete(branch)
    else this.#calls.set(branch, call)
  }
}

/** Those of ACK and BYE begin with that of their INVITE. */
function inviteBranch(branch: string): string {
  return branch.split('-', 1)[0] ?? ''
}

/** The branch has found the call; the rest has to be ours too (RFC 3261, 8.1.3.3). */
function isOfCall({ invite }: CanaryCall, { callId, viaCount, from }: SipResponse): boolean {
  return callId === invite.callId && viaCount === 1 && from.tag === invite.from.tag
}
