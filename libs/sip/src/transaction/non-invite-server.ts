import { clearTimer, ended, noBytes, nothing, send, setTimer, transportFailed, tryingDue } from './effects.ts'
import type { Effect, ServerEvent, Step } from './effects.ts'
import type { TimerName, Timers } from './timers.ts'
import { giveUpMs, lateTryingMs } from './timers.ts'

/** Non-INVITE server transaction (RFC 3261, 17.2.2, as changed by RFC 4320). */
export interface NonInviteServer {
  readonly state: 'trying' | 'proceeding' | 'completed' | 'terminated'
  readonly isReliable: boolean
  readonly timers: Timers
  /** The last response, which answers a retransmitted request; empty when there is none. */
  readonly bytes: Buffer
  /** Whether a 100 may be sent yet (RFC 4320, 4.1). */
  readonly mayTry: boolean
}

export function startNonInviteServer(isReliable: boolean, timers: Timers): Step<NonInviteServer> {
  const tx: NonInviteServer = { state: 'trying', isReliable, timers, bytes: noBytes, mayTry: isReliable }
  return [tx, [setTimer('trying', lateTryingMs(timers))]]
}

export function stepNonInviteServer(tx: NonInviteServer, event: ServerEvent): Step<NonInviteServer> {
  if (tx.state === 'terminated') return [tx, nothing]
  switch (event.kind) {
    case 'request':
      return [tx, tx.bytes.length === 0 ? nothing : [send(tx.bytes)]]
    case 'respond':
      return tx.state === 'completed' ? [tx, nothing] : respond(tx, event.status, event.bytes)
    case 'timer':
      return onTimer(tx, event.timer)
    case 'transport-error':
      return [tx, [transportFailed]]
    case 'ack':
      return [tx, nothing]
  }
}

function respond(tx: NonInviteServer, status: number, bytes: Buffer): Step<NonInviteServer> {
  if (status >= 200) return complete(tx, status, bytes)
  // RFC 4320, 4.1: no provisional response but 100, and that not before a client would slow down by itself.
  if (status !== 100 || !tx.mayTry) return [tx, nothing]
  return [{ ...tx, state: 'proceeding', bytes }, [clearTimer('trying'), send(bytes)]]
}

// RFC 4320, 4.2: a 408 would come too late for anybody, so the request stays unanswered; its copies are absorbed all the same.
function complete(tx: NonInviteServer, status: number, bytes: Buffer): Step<NonInviteServer> {
  const isSilent = status === 408
  const effects: Effect[] = tx.state === 'trying' ? [clearTimer('trying')] : []
  if (!isSilent) effects.push(send(bytes))
  if (tx.isReliable) return [{ ...tx, state: 'terminated', bytes: noBytes }, [...effects, ended]]
  effects.push(setTimer('J', giveUpMs(tx.timers)))
  return [{ ...tx, state: 'completed', bytes: isSilent ? noBytes : bytes }, effects]
}

function onTimer(tx: NonInviteServer, timer: TimerName): Step<NonInviteServer> {
  if (tx.state === 'trying' && timer === 'trying') return [{ ...tx, mayTry: true }, [tryingDue]]
  if (tx.state !== 'completed' || timer !== 'J') return [tx, nothing]
  return [{ ...tx, state: 'terminated', bytes: noBytes }, [ended]]
}
