import type { SipResponse } from '../message/message.ts'
import {
  clearTimer,
  ended,
  noBytes,
  nothing,
  send,
  setTimer,
  tellResponse,
  timedOut,
  transportFailed,
} from './effects.ts'
import type { ClientEvent, Effect, Step } from './effects.ts'
import type { TimerName, Timers } from './timers.ts'
import { giveUpMs } from './timers.ts'

/** Non-INVITE client transaction (RFC 3261, 17.1.2). */
export interface NonInviteClient {
  readonly state: 'trying' | 'proceeding' | 'completed' | 'terminated'
  readonly isReliable: boolean
  readonly timers: Timers
  /** The request, while it may be sent again. */
  readonly bytes: Buffer
  /** Interval that Timer E runs on. */
  readonly retransmitMs: number
  /** Whether the request went out more than once: then nobody knows which copy an answer is for (Karn). */
  readonly retransmitted: boolean
}

/** @param request the request as it goes out, our Via on top */
export function startNonInviteClient(request: Buffer, isReliable: boolean, timers: Timers): Step<NonInviteClient> {
  const retransmitMs = timers.t1Ms
  const tx: NonInviteClient = {
    state: 'trying',
    isReliable,
    timers,
    bytes: request,
    retransmitMs,
    retransmitted: false,
  }
  const giveUp = setTimer('F', giveUpMs(timers))
  return [tx, isReliable ? [send(request), giveUp] : [send(request), setTimer('E', retransmitMs), giveUp]]
}

export function stepNonInviteClient(tx: NonInviteClient, event: ClientEvent): Step<NonInviteClient> {
  switch (tx.state) {
    case 'trying':
    case 'proceeding':
      return inProgress(tx, event)
    case 'completed':
      // Retransmitted responses are absorbed until Timer K fires (17.1.2.2).
      return event.kind === 'timer' && event.timer === 'K' ? terminate(tx, nothing) : [tx, nothing]
    case 'terminated':
      return [tx, nothing]
  }
}

function inProgress(tx: NonInviteClient, event: ClientEvent): Step<NonInviteClient> {
  switch (event.kind) {
    case 'response':
      return onResponse(tx, event.response)
    case 'timer':
      return onTimer(tx, event.timer)
    case 'transport-error':
      return terminate(tx, [transportFailed])
  }
}

function onTimer(tx: NonInviteClient, timer: TimerName): Step<NonInviteClient> {
  if (timer === 'E') return retransmit(tx)
  return timer === 'F' ? terminate(tx, [timedOut]) : [tx, nothing]
}

// 17.1.2.2: the interval doubles up to T2; once there was a provisional response, it is T2.
function retransmit(tx: NonInviteClient): Step<NonInviteClient> {
  const { t2Ms } = tx.timers
  const retransmitMs = tx.state === 'proceeding' ? t2Ms : Math.min(tx.retransmitMs * 2, t2Ms)
  return [{ ...tx, retransmitMs, retransmitted: true }, [send(tx.bytes), setTimer('E', retransmitMs)]]
}

function onResponse(tx: NonInviteClient, response: SipResponse): Step<NonInviteClient> {
  if (response.status < 200) return [{ ...tx, state: 'proceeding' }, [tellResponse(response)]]
  if (tx.isReliable) return terminate(tx, [clearTimer('F'), tellResponse(response)])
  const effects = [clearTimer('E'), clearTimer('F'), tellResponse(response), setTimer('K', tx.timers.t4Ms)]
  return [{ ...tx, state: 'completed', bytes: noBytes }, effects]
}

function terminate(tx: NonInviteClient, effects: readonly Effect[]): Step<NonInviteClient> {
  return [{ ...tx, state: 'terminated', bytes: noBytes }, [...effects, ended]]
}
