import {
  startNonInviteClient,
  stepNonInviteClient,
  type Effect,
  type NonInviteClient,
  type SipResponse,
  type TimerName,
  type Timers,
} from '@siplb/sip'

/** A non-INVITE client transaction (RFC 3261, 17.1.2) with the instants at which its timers fire. */
export interface TimedRequest {
  readonly tx: NonInviteClient
  readonly dueAt: ReadonlyMap<TimerName, number>
  /** Of its final answer. */
  readonly status: number | undefined
}

/** What it is now, and what has to be sent. */
export type Turn = readonly [TimedRequest, readonly Buffer[]]

/** On a reliable transport it is sent once (17.1.2.2). */
export function startTimed(bytes: Buffer, isReliable: boolean, timers: Timers, now: number): Turn {
  const [tx, effects] = startNonInviteClient(bytes, isReliable, timers)
  return taken({ tx, dueAt: new Map(), status: undefined }, effects, now)
}

export function answerTimed(request: TimedRequest, response: SipResponse, now: number): Turn {
  const [tx, effects] = stepNonInviteClient(request.tx, { kind: 'response', response })
  const isFinal = response.status >= 200 && request.status === undefined
  return taken({ ...request, tx, status: isFinal ? response.status : request.status }, effects, now)
}

export function tickTimed(request: TimedRequest, now: number): Turn {
  let current = request
  const sent: Buffer[] = []
  for (const [timer, at] of request.dueAt) {
    if (at > now) continue
    const dueAt = new Map(current.dueAt)
    dueAt.delete(timer)
    const [tx, effects] = stepNonInviteClient(current.tx, { kind: 'timer', timer })
    const [next, bytes] = taken({ ...current, tx, dueAt }, effects, now)
    current = next
    sent.push(...bytes)
  }
  return [current, sent]
}

/** Whether it may still be sent again, or be answered. */
export function isUnderWay({ tx }: TimedRequest): boolean {
  return tx.state === 'trying' || tx.state === 'proceeding'
}

function taken(request: TimedRequest, effects: readonly Effect[], now: number): Turn {
  const dueAt = new Map(request.dueAt)
  const sent: Buffer[] = []
  for (const effect of effects) {
    if (effect.kind === 'send') sent.push(effect.bytes)
    else if (effect.kind === 'set-timer') dueAt.set(effect.timer, now + effect.ms)
    else if (effect.kind === 'clear-timer') dueAt.delete(effect.timer)
    else if (effect.kind === 'ended') dueAt.clear()
  }
  return [{ ...request, dueAt }, sent]
}
