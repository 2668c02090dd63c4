import { SipError } from '../errors.ts'
import { buildAckForNon2xx } from '../message/build.ts'
import type { SipResponse } from '../message/message.ts'
import { scan } from '../message/scan.ts'
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

/** INVITE client transaction (RFC 3261, 17.1.1, as changed by RFC 6026, 8.4). */
export interface InviteClient {
  readonly state: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'
  readonly isReliable: boolean
  readonly timers: Timers
  /** The request while it may be needed for a retransmission or a CANCEL, then the ACK that is sent again. */
  readonly bytes: Buffer
  /** Interval that Timer A runs on. */
  readonly retransmitMs: number
  /** Whether the request went out more than once: then nobody knows which copy an answer is for (Karn). */
  readonly retransmitted: boolean
}

/** @param request the INVITE as it goes out, our Via on top */
export function startInviteClient(request: Buffer, isReliable: boolean, timers: Timers): Step<InviteClient> {
  const retransmitMs = timers.t1Ms
  const tx: InviteClient = { state: 'calling', isReliable, timers, bytes: request, retransmitMs, retransmitted: false }
  const giveUp = setTimer('B', giveUpMs(timers))
  return [tx, isReliable ? [send(request), giveUp] : [send(request), setTimer('A', retransmitMs), giveUp]]
}

export function stepInviteClient(tx: InviteClient, event: ClientEvent): Step<InviteClient> {
  switch (tx.state) {
    case 'calling':
      return inCalling(tx, event)
    case 'proceeding':
      return event.kind === 'response' ? onResponse(tx, event.response) : [tx, nothing]
    case 'completed':
      return inCompleted(tx, event)
    case 'accepted':
      return inAccepted(tx, event)
    case 'terminated':
      return [tx, nothing]
  }
}

function inCalling(tx: InviteClient, event: ClientEvent): Step<InviteClient> {
  switch (event.kind) {
    case 'response':
      return onResponse(tx, event.response)
    case 'timer':
      return onTimer(tx, event.timer)
    case 'transport-error':
      return terminate(tx, [transportFailed])
  }
}

function onTimer(tx: InviteClient, timer: TimerName): Step<InviteClient> {
  if (timer === 'A') return retransmit(tx)
  return timer === 'B' ? terminate(tx, [timedOut]) : [tx, nothing]
}

// 17.1.1.2: the interval doubles after each retransmission.
function retransmit(tx: InviteClient): Step<InviteClient> {
  const retransmitMs = tx.retransmitMs * 2
  return [{ ...tx, retransmitMs, retransmitted: true }, [send(tx.bytes), setTimer('A', retransmitMs)]]
}

function onResponse(tx: InviteClient, response: SipResponse): Step<InviteClient> {
  const stopped = tx.state === 'calling' ? stopCalling(tx) : nothing
  if (response.status < 200) return [{ ...tx, state: 'proceeding' }, [...stopped, tellResponse(response)]]
  if (response.status < 300) return accept(tx, response, stopped)
  return complete(tx, response, stopped)
}

function stopCalling(tx: InviteClient): Effect[] {
  return tx.isReliable ? [clearTimer('B')] : [clearTimer('A'), clearTimer('B')]
}

// RFC 6026, 7.1: the transaction stays, so that 2xx of other forks and retransmissions find their way.
function accept(tx: InviteClient, response: SipResponse, stopped: readonly Effect[]): Step<InviteClient> {
  const effects = [...stopped, tellResponse(response), setTimer('M', giveUpMs(tx.timers))]
  return [{ ...tx, state: 'accepted', bytes: noBytes }, effects]
}

// 17.1.1.2: the ACK goes where the INVITE went; Timer D is 0 on reliable transports, at least 32 s otherwise.
function complete(tx: InviteClient, response: SipResponse, stopped: readonly Effect[]): Step<InviteClient> {
  const ack = ackFor(tx.bytes, response)
  const effects = [...stopped, send(ack), tellResponse(response)]
  if (tx.isReliable) return terminate(tx, effects)
  return [{ ...tx, state: 'completed', bytes: ack }, [...effects, setTimer('D', giveUpMs(tx.timers))]]
}

function ackFor(request: Buffer, response: SipResponse): Buffer {
  const invite = scan(request, sentLimits)
  if (invite.kind === 'request') return buildAckForNon2xx(invite, response)
  throw new SipError('not-a-request', 'an INVITE client transaction was started with octets that are no request')
}

// What we sent may have grown over the limits of what we take in.
const sentLimits = { datagram: 1e6, headerLine: 1e6, headerLines: 1e6, whitespaceRun: 1e6 }

function inCompleted(tx: InviteClient, event: ClientEvent): Step<InviteClient> {
  switch (event.kind) {
    case 'response':
      if (event.response.status >= 300) return [tx, [send(tx.bytes)]]
      // 16.7 step 5 has a proxy downstream forward a late 2xx: the callee waits for its ACK, so the TU must see it.
      return event.response.status >= 200 ? [tx, [tellResponse(event.response)]] : [tx, nothing]
    case 'timer':
      return event.timer === 'D' ? terminate(tx, nothing) : [tx, nothing]
    case 'transport-error':
      return terminate(tx, [transportFailed])
  }
}

function inAccepted(tx: InviteClient, event: ClientEvent): Step<InviteClient> {
  if (event.kind === 'timer' && event.timer === 'M') return terminate(tx, nothing)
  const is2xx = event.kind === 'response' && event.response.status >= 200 && event.response.status < 300
  return is2xx ? [tx, [tellResponse(event.response)]] : [tx, nothing]
}

function terminate(tx: InviteClient, effects: readonly Effect[]): Step<InviteClient> {
  return [{ ...tx, state: 'terminated', bytes: noBytes }, [...effects, ended]]
}
