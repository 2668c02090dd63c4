import { buildAckForNon2xx, buildCancel, giveUpMs, type SipRequest, type SipResponse, type Timers } from '@siplb/sip'
import { dialogRequest } from './canary-messages.ts'
import { answerTimed, isUnderWay, startTimed, tickTimed, type TimedRequest, type Turn } from './timed-request.ts'

/**
 * A call that is made to see whether the proxy takes calls. Instants are monotonic milliseconds.
 *
 * C1. Whatever the callee does, no call stays: a 2xx is acknowledged at once and hung up, also one that crosses the CANCEL or
 *     comes when the probe is long lost; whatever rings or tries for too long is cancelled (RFC 3261, 9.1 and 13.2.2.4).
 * C2. The INVITE goes out once: sent again, nobody would know which copy was answered (Karn), and a loss is a lost probe.
 */
export interface CanaryCall {
  readonly plan: CanaryPlan
  /** As it was sent. */
  readonly invite: SipRequest
  readonly sentAt: number
  readonly stage: 'calling' | 'proceeding' | 'completed' | 'accepted'
  /** Until then it may take to ring or to be answered. */
  readonly patienceUntil: number
  readonly isRinging: boolean
  readonly cancel: TimedRequest | undefined
  /** Of the last final answer that was no 2xx. */
  readonly ack: Buffer | undefined
  /** One for each 2xx with a To tag of its own: a forking proxy may bring several (RFC 3261, 13.2.2.4). */
  readonly dialogs: readonly CanaryDialog[]
  /** Nothing more is to be expected from then on. */
  readonly forgetAt: number
}

export interface CanaryPlan {
  readonly timeoutMs: number
  readonly ringMs: number
  readonly timers: Timers
  /** TCP and TLS: nothing is sent again. */
  readonly isReliable: boolean
}

interface CanaryDialog {
  readonly toTag: string
  readonly ack: Buffer
  readonly hangUp: Buffer
  readonly hangUpAt: number
  /** Once it was sent. */
  readonly bye: TimedRequest | undefined
}

/**
 * Sent right behind the ACK, one BYE in ten came before it (measured: SIPp behind a Kamailio of two processes), and a callee
 * that has no ACK yet may not know what to make of it.
 */
const BYE_AFTER_MS = 50

export type CanaryEvent =
  /** To the INVITE, its CANCEL or a BYE. */
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'tick' }
  /** The network said that nobody listens. */
  | { readonly kind: 'refused' }
  /** Nobody wants to know any more: the prober stops, or another one probes the proxy. */
  | { readonly kind: 'unwanted' }

export type CanaryEffect =
  { readonly kind: 'send'; readonly bytes: Buffer } | { readonly kind: 'ended'; readonly ending: CanaryEnding }

/** The last three may have left a call with the callee. */
export const canaryEndings = [
  'hung-up',
  'cancelled',
  'declined',
  'unanswered',
  'bye-refused',
  'bye-unanswered',
  'never-ended',
] as const
export type CanaryEnding = (typeof canaryEndings)[number]

export type CanaryStep = readonly [CanaryCall, readonly CanaryEffect[]]

export function startCanary(invite: SipRequest, plan: CanaryPlan, now: number): CanaryStep {
  const call: CanaryCall = {
    plan,
    invite,
    sentAt: now,
    stage: 'calling',
    patienceUntil: now + plan.timeoutMs,
    isRinging: false,
    cancel: undefined,
    ack: undefined,
    dialogs: [],
    forgetAt: now + giveUpMs(plan.timers),
  }
  return [call, [send(invite.bytes)]]
}

export function stepCanary(call: CanaryCall, event: CanaryEvent, now: number): CanaryStep {
  switch (event.kind) {
    case 'response':
      return onResponse(call, event.response, now)
    case 'tick':
      return onTick(call, now)
    case 'refused':
      return call.stage === 'calling' ? [{ ...call, forgetAt: now }, []] : [call, []]
    case 'unwanted':
      return cancelWhenDue({ ...call, patienceUntil: Math.min(call.patienceUntil, now) }, now)
  }
}

/** Whether it may still be answered as quickly as a proxy answers that lives. */
export function isExpected({ stage, sentAt, plan }: CanaryCall, now: number): boolean {
  return stage === 'calling' && now < sentAt + plan.timeoutMs
}

/** Whether the callee holds something that has still to be ended. */
export function isOpen({ stage, dialogs }: CanaryCall): boolean {
  return stage === 'proceeding' || dialogs.some(({ bye }) => bye === undefined || isUnderWay(bye))
}

export function isForgotten(call: CanaryCall, now: number): boolean {
  return now >= call.forgetAt && !isOpen(call)
}

function onResponse(call: CanaryCall, response: SipResponse, now: number): CanaryStep {
  switch (response.cseq.method) {
    case 'INVITE':
      if (response.status < 200) return onProvisional(call, response.status, now)
      return response.status < 300 ? onAnswered(call, response, now) : onDeclined(call, response, now)
    case 'CANCEL':
      return call.cancel === undefined ? [call, []] : withCancel(call, answerTimed(call.cancel, response, now))
    case 'BYE':
      return onByeAnswered(call, response, now)
    default:
      return [call, []]
  }
}

// From the first provisional on it is known that it arrived, so it is waited for until it was cancelled. A late one is too late
// for the probe, but in time for the CANCEL, which may not go before it (9.1).
function onProvisional(call: CanaryCall, status: number, now: number): CanaryStep {
  if (call.stage !== 'calling' && call.stage !== 'proceeding') return [call, []]
  const isFirstRing = status > 100 && !call.isRinging && call.cancel === undefined && now < call.patienceUntil
  const patienceUntil = isFirstRing ? now + call.plan.ringMs : call.patienceUntil
  const isRinging = call.isRinging || status > 100
  const forgetAt = call.cancel === undefined ? Infinity : call.forgetAt
  return cancelWhenDue({ ...call, stage: 'proceeding', isRinging, patienceUntil, forgetAt }, now)
}

function cancelWhenDue(call: CanaryCall, now: number): CanaryStep {
  const isDue = call.stage === 'proceeding' && call.cancel === undefined && now >= call.patienceUntil
  if (!isDue) return [call, []]
  const { timers, isReliable } = call.plan
  // 9.1: without a final answer 64*T1 after the CANCEL the call is taken for cancelled.
  const cancelled = { ...call, forgetAt: now + giveUpMs(timers) }
  return withCancel(cancelled, startTimed(buildCancel(call.invite), isReliable, timers, now))
}

function withCancel(call: CanaryCall, [cancel, sent]: Turn): CanaryStep {
  return [{ ...call, cancel }, sent.map(send)]
}

// 17.1.1.2: kept for Timer D, so that the answer that comes again is acknowledged again.
function onDeclined(call: CanaryCall, response: SipResponse, now: number): CanaryStep {
  if (call.stage === 'accepted') return [call, []]
  if (call.ack !== undefined) return [call, [send(call.ack)]]
  const ack = buildAckForNon2xx(call.invite, response)
  const ended = end(call.cancel === undefined ? 'declined' : 'cancelled')
  return [{ ...call, stage: 'completed', ack, ...settled(call, now) }, [send(ack), ended]]
}

// 13.2.2.4: each 2xx that comes again gets its ACK again; RFC 6026, 7.1: others may follow for 64*T1.
function onAnswered(call: CanaryCall, response: SipResponse, now: number): CanaryStep {
  const toTag = response.to.tag ?? ''
  const known = call.dialogs.find((dialog) => dialog.toTag === toTag)
  if (known !== undefined) return [call, [send(known.ack)]]
  const { branch } = call.invite.topVia
  const number = call.dialogs.length + 1
  const ack = dialogRequest(call.invite, response, 'ACK', `${branch}-ack${number}`)
  const hangUp = dialogRequest(call.invite, response, 'BYE', `${branch}-bye${number}`)
  const dialogs = [...call.dialogs, { toTag, ack, hangUp, hangUpAt: now + BYE_AFTER_MS, bye: undefined }]
  return [{ ...call, stage: 'accepted', dialogs, ...settled(call, now) }, [send(ack)]]
}

function settled({ plan, cancel }: CanaryCall, now: number): Pick<CanaryCall, 'forgetAt' | 'cancel'> {
  // The final answer says more than the answer to the CANCEL could.
  return { forgetAt: now + giveUpMs(plan.timers), cancel: cancel && { ...cancel, dueAt: new Map() } }
}

function onByeAnswered(call: CanaryCall, response: SipResponse, now: number): CanaryStep {
  return eachBye(call, ({ toTag, bye }) =>
    bye !== undefined && toTag === (response.to.tag ?? '') ? answerTimed(bye, response, now) : undefined,
  )
}

function onTick(call: CanaryCall, now: number): CanaryStep {
  const [ticked, sent] = cancelWhenDue(call, now)
  const [cancelled, again] = ticked.cancel ? withCancel(ticked, tickTimed(ticked.cancel, now)) : [ticked, []]
  const [hungUp, effects] = eachBye(cancelled, ({ bye, hangUp, hangUpAt }) => {
    if (bye !== undefined) return tickTimed(bye, now)
    return now < hangUpAt ? undefined : startTimed(hangUp, call.plan.isReliable, call.plan.timers, now)
  })
  return whenForgotten(hungUp, now, [...sent, ...again, ...effects])
}

// Nothing came any more.
function whenForgotten(call: CanaryCall, now: number, effects: readonly CanaryEffect[]): CanaryStep {
  if (now < call.forgetAt) return [call, effects]
  if (call.stage === 'calling') return [{ ...call, stage: 'completed' }, [...effects, end('unanswered')]]
  if (call.stage === 'proceeding') return [{ ...call, stage: 'completed' }, [...effects, end('never-ended')]]
  return [call, effects]
}

function eachBye(call: CanaryCall, turn: (dialog: CanaryDialog) => Turn | undefined): CanaryStep {
  const effects: CanaryEffect[] = []
  const dialogs = call.dialogs.map((dialog) => {
    const turned = turn(dialog)
    if (turned === undefined) return dialog
    const [bye, sent] = turned
    effects.push(...sent.map(send))
    if (dialog.bye !== undefined && isUnderWay(dialog.bye) && !isUnderWay(bye)) effects.push(end(endingOf(bye)))
    return { ...dialog, bye }
  })
  return [{ ...call, dialogs }, effects]
}

// 12.2.1.2 and 15.1.1: 408 and 481 mean that the callee knows no such call, so it has ended too.
function endingOf({ status }: TimedRequest): CanaryEnding {
  if (status === undefined) return 'bye-unanswered'
  return status < 300 || status === 408 || status === 481 ? 'hung-up' : 'bye-refused'
}

const send = (bytes: Buffer): CanaryEffect => ({ kind: 'send', bytes })
const end = (ending: CanaryEnding): CanaryEffect => ({ kind: 'ended', ending })
