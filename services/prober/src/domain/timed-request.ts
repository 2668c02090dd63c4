import { NonInviteClient, type ClientSink, type SipResponse, type TimerName, type Timers } from '@siplb/sip'

/** A non-INVITE client transaction (RFC 3261, 17.1.2) with the instants at which its timers fire. */
export interface TimedRequest {
  /** Goes on in place: whoever takes a turn has no use any more for what was before. */
  readonly machine: TimedMachine
  readonly dueAt: ReadonlyMap<TimerName, number>
  readonly state: NonInviteClient['state']
  /** Of its final answer. */
  readonly status: number | undefined
}

/** What it is now, and what has to be sent. */
export type Turn = readonly [TimedRequest, readonly Buffer[]]

/** On a reliable transport it is sent once (17.1.2.2). */
export function startTimed(bytes: Buffer, isReliable: boolean, timers: Timers, now: number): Turn {
  const machine = new TimedMachine(bytes, isReliable, timers)
  const request: TimedRequest = { machine, dueAt: new Map(), state: machine.tx.state, status: undefined }
  return turned(request, now, () => machine.tx.start())
}

export function answerTimed(request: TimedRequest, response: SipResponse, now: number): Turn {
  const isFinal = response.status >= 200 && request.status === undefined
  const answered = { ...request, status: isFinal ? response.status : request.status }
  return turned(answered, now, () => request.machine.tx.response(response))
}

export function tickTimed(request: TimedRequest, now: number): Turn {
  const { machine, dueAt } = request
  return turned(request, now, () => {
    for (const [name, at] of dueAt) {
      if (at > now) continue
      machine.clearTimer(name)
      machine.tx.timer(name)
    }
  })
}

/** Whether it may still be sent again, or be answered. */
export function isUnderWay({ state }: TimedRequest): boolean {
  return state === 'trying' || state === 'proceeding'
}

function turned(request: TimedRequest, now: number, work: () => void): Turn {
  const { machine } = request
  machine.begin(request.dueAt, now)
  work()
  return [{ ...request, dueAt: machine.dueAt, state: machine.tx.state }, machine.sent]
}

/** The transaction, and what it asks for in one turn. */
class TimedMachine implements ClientSink {
  readonly tx: NonInviteClient
  dueAt = new Map<TimerName, number>()
  sent: Buffer[] = []
  #now = 0

  constructor(bytes: Buffer, isReliable: boolean, timers: Timers) {
    this.tx = new NonInviteClient(bytes, isReliable, timers, this)
  }

  begin(dueAt: ReadonlyMap<TimerName, number>, now: number): void {
    this.dueAt = new Map(dueAt)
    this.sent = []
    this.#now = now
  }

  send(bytes: Buffer): void {
    this.sent.push(bytes)
  }

  setTimer(name: TimerName, ms: number): void {
    this.dueAt.set(name, this.#now + ms)
  }

  clearTimer(name: TimerName): void {
    this.dueAt.delete(name)
  }

  ended(): void {
    this.dueAt.clear()
  }

  // What was answered is seen by whoever hands the answer in, and the end by the state.
  response(): void {}
  timeout(): void {}
  transportFailed(): void {}
}
