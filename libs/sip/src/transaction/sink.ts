import type { SipResponse } from '../message/message.ts'
import type { TimerName } from './timers.ts'

/**
 * All that a transaction can ask for; it is asked for at once. The user of a transaction is called the TU (RFC 3261, 5).
 *
 * What a sink does may lead back to the same machine, which is in its new state by then; what is left of the first event comes
 * after all of the second.
 */
interface TransactionSink {
  send(bytes: Buffer): void
  /** Replaces the timer of that name, if it runs. */
  setTimer(name: TimerName, ms: number): void
  clearTimer(name: TimerName): void
  transportFailed(): void
  /** The transaction is over; its timers are void. */
  ended(): void
}

/** Of a client transaction. */
export interface ClientSink extends TransactionSink {
  /** For the TU; not given for retransmissions, except of a 2xx to INVITE, which are end to end. */
  response(response: SipResponse): void
  /** No final response in time (Timer B or F). */
  timeout(): void
}

/** Of a server transaction. */
export interface ServerSink extends TransactionSink {
  /** Nothing was sent so far, and a 100 should be. */
  tryingDue(): void
  /** An ACK came to a transaction that sent a 2xx: it is the TU's to forward. */
  ackReceived(): void
}

/** Held by a transaction that will send nothing more. */
export const noBytes: Buffer = Buffer.alloc(0)
