import {
  ackReceived,
  clearTimer,
  ended,
  noBytes,
  nothing,
  send,
  setTimer,
  transportFailed,
  tryingDue,
} from './effects.ts'
import type { Effect, ServerEvent, Step } from './effects.ts'
import type { TimerName, Timers } from './timers.ts'
import { giveUpMs } from './timers.ts'

/** INVITE server transaction (RFC 3261, 17.2.1, as changed by RFC 6026, 8.5 to 8.7). */
export interface InviteServer {
  readonly state: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'
  readonly isReliable: boolean
  readonly timers: Timers
  /** The last response, which answers a retransmitted INVITE; empty when there is none. */
  readonly bytes: Buffer
  /** Interval that Timer G runs on. */
  readonly retransmitMs: number
}

export function startInviteServer(isReliable: boolean, timers: Timers): Step<InviteServer> {
  const tx: InviteServer = { state: 'proceeding', isReliable, timers, bytes: noBytes, retransmitMs: timers.t1Ms }
  return [tx, [setTimer('trying', timers.tryingMs)]]
}

export function stepInviteServer(tx: InviteServer, event: ServerEvent): Step<InviteServer> {
  if (event.kind === 'transport-error') return [tx, tx.state === 'terminated' ? nothing : [transportFailed]] // RFC 6026, 8.8
  switch (tx.state) {
    case 'proceeding':
      return inProceeding(tx, event)
    case 'completed':
      return inCompleted(tx, event)
    case 'confirmed':
      return event.kind === 'timer' && event.timer === 'I' ? terminate(tx) : [tx, nothing]
    case 'accepted':
      return inAccepted(tx, event)
    case 'terminated':
      return [tx, nothing]
  }
}

type Event = Exclude<ServerEvent, { kind: 'transport-error' }>

function inProceeding(tx: InviteServer, event: Event): Step<InviteServer> {
  switch (event.kind) {
    case 'request':
      return [tx, replay(tx)]
    case 'respond':
      return respond(tx, event.status, event.bytes)
    case 'timer':
      return [tx, event.timer === 'trying' && tx.bytes.length === 0 ? [tryingDue] : nothing]
    case 'ack':
      return [tx, nothing]
  }
}

const replay = (tx: InviteServer): readonly Effect[] => (tx.bytes.length === 0 ? nothing : [send(tx.bytes)])

function respond(tx: InviteServer, status: number, bytes: Buffer): Step<InviteServer> {
  const first = tx.bytes.length === 0 ? [clearTimer('trying'), send(bytes)] : [send(bytes)]
  if (status < 200) return [{ ...tx, bytes }, first]
  if (status < 300)
    return [{ ...tx, state: 'accepted', bytes: noBytes }, [...first, setTimer('L', giveUpMs(tx.timers))]]
  const giveUp = setTimer('H', giveUpMs(tx.timers))
  const effects = tx.isReliable ? [...first, giveUp] : [...first, setTimer('G', tx.retransmitMs), giveUp]
  return [{ ...tx, state: 'completed', bytes }, effects]
}

function inCompleted(tx: InviteServer, event: Event): Step<InviteServer> {
  switch (event.kind) {
    case 'request':
      return [tx, [send(tx.bytes)]]
    case 'ack':
      return confirm(tx)
    case 'timer':
      return onTimer(tx, event.timer)
    case 'respond':
      return [tx, nothing] // 17.2.1: any other final response is discarded
  }
}

function onTimer(tx: InviteServer, timer: TimerName): Step<InviteServer> {
  if (timer === 'H') return terminate(tx)
  if (timer !== 'G') return [tx, nothing]
  const retransmitMs = Math.min(tx.retransmitMs * 2, tx.timers.t2Ms)
  return [{ ...tx, retransmitMs }, [send(tx.bytes), setTimer('G', retransmitMs)]]
}

// Timer I absorbs further ACKs; on reliable transports there are none.
function confirm(tx: InviteServer): Step<InviteServer> {
  if (tx.isReliable) return terminate(tx, [clearTimer('H')])
  const effects = [clearTimer('G'), clearTimer('H'), setTimer('I', tx.timers.t4Ms)]
  return [{ ...tx, state: 'confirmed', bytes: noBytes }, effects]
}

// RFC 6026, 7.1: a retransmitted INVITE is absorbed, since the callee repeats its 2xx itself; each 2xx goes through.
function inAccepted(tx: InviteServer, event: Event): Step<InviteServer> {
  switch (event.kind) {
    case 'request':
      return [tx, nothing]
    case 'respond':
      return [tx, event.status >= 200 && event.status < 300 ? [send(event.bytes)] : nothing]
    case 'ack':
      return [tx, [ackReceived]]
    case 'timer':
      return event.timer === 'L' ? terminate(tx) : [tx, nothing]
  }
}

function terminate(tx: InviteServer, effects: readonly Effect[] = nothing): Step<InviteServer> {
  return [{ ...tx, state: 'terminated', bytes: noBytes }, [...effects, ended]]
}
