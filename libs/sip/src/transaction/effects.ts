import type { SipResponse } from '../message/message.ts'
import type { TimerName } from './timers.ts'

/** Everything that a transaction can ask for. The user of a transaction is called the TU (RFC 3261, 5). */
export type Effect =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** Replaces the timer of that name, if it runs. */
  | { readonly kind: 'set-timer'; readonly timer: TimerName; readonly ms: number }
  | { readonly kind: 'clear-timer'; readonly timer: TimerName }
  /** For the TU; not given for retransmissions, except of a 2xx to INVITE, which are end to end. */
  | { readonly kind: 'response'; readonly response: SipResponse }
  /** No final response in time (Timer B or F). */
  | { readonly kind: 'timeout' }
  | { readonly kind: 'transport-failed' }
  /** Nothing was sent so far, and a 100 should be. */
  | { readonly kind: 'trying-due' }
  /** An ACK came to a transaction that sent a 2xx: it is the TU's to forward. */
  | { readonly kind: 'ack-received' }
  /** The transaction is over; its timers are void. */
  | { readonly kind: 'ended' }

export type Step<State> = readonly [State, readonly Effect[]]

/** What happens to a client transaction. */
export type ClientEvent =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'transport-error' }

/** What happens to a server transaction. */
export type ServerEvent =
  /** The request came again. */
  | { readonly kind: 'request' }
  | { readonly kind: 'ack' }
  /** The TU answers. */
  | { readonly kind: 'respond'; readonly status: number; readonly bytes: Buffer }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'transport-error' }

export const nothing: readonly Effect[] = []
export const send = (bytes: Buffer): Effect => ({ kind: 'send', bytes })
export const setTimer = (timer: TimerName, ms: number): Effect => ({ kind: 'set-timer', timer, ms })
export const clearTimer = (timer: TimerName): Effect => ({ kind: 'clear-timer', timer })
export const tellResponse = (response: SipResponse): Effect => ({ kind: 'response', response })
export const ended: Effect = { kind: 'ended' }
export const timedOut: Effect = { kind: 'timeout' }
export const transportFailed: Effect = { kind: 'transport-failed' }
export const tryingDue: Effect = { kind: 'trying-due' }
export const ackReceived: Effect = { kind: 'ack-received' }

/** Held by a transaction that will send nothing more. */
export const noBytes: Buffer = Buffer.alloc(0)
