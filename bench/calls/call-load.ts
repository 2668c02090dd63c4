import type { Socket } from 'node:dgram'
import * as say from './messages.ts'
import type { LoadOrder, LoadReport } from './tool-messages.ts'
import { quantile } from './figures.ts'

interface Call extends say.Dialog {
  readonly socket: Socket
  readonly counts: boolean
  state: 'calling' | 'ringing' | 'ending'
  /** What is sent again while nothing comes back. */
  pending: Buffer
  readonly begunAt: number
  sentAt: number
  waitMs: number
  isRetransmitted: boolean
}

const STEP_MS = 1
const SWEEP_MS = 50
/** T1, and its doubling (RFC 3261, 17.1.1.2). */
const T1_MS = 500
/** A call that has not come to its end by then is a failed one. */
const GIVE_UP_MS = 4000

/** Calls at a steady rate, and what became of them. */
export class CallLoad {
  readonly #sockets: readonly Socket[]
  readonly #order: LoadOrder
  readonly #calls = new Map<number, Call>()
  readonly #times: number[] = []
  readonly #refusals: Record<string, number> = {}
  #number: number
  readonly #firstNumber: number
  #startedAt = 0
  #counts = false
  #offered = 0
  #failed = 0
  #retransmitted = 0
  #pump: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(sockets: readonly Socket[], order: LoadOrder, firstNumber: number) {
    this.#sockets = sockets
    this.#order = order
    this.#number = firstNumber
    this.#firstNumber = firstNumber
  }

  get open(): number {
    return this.#calls.size
  }

  get nextNumber(): number {
    return this.#number
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#pump = setInterval(() => this.#beginDue(), STEP_MS)
    this.#sweep = setInterval(() => this.#repeatDue(performance.now()), SWEEP_MS)
  }

  /** Calls that begin from now on count. */
  count(): void {
    this.#counts = true
  }

  stopCounting(): void {
    this.#beginDue()
    this.#counts = false
    clearInterval(this.#pump)
  }

  end(): LoadReport {
    clearInterval(this.#sweep)
    for (const call of this.#calls.values()) this.#fail(call)
    const sorted = this.#times.toSorted((a, b) => a - b)
    return {
      kind: 'report',
      offered: this.#offered,
      failed: this.#failed,
      retransmitted: this.#retransmitted,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      refusals: this.#refusals,
    }
  }

  received(response: Buffer, now: number): void {
    const call = this.#calls.get(say.callNumber(response))
    if (call === undefined) return
    const status = say.statusOf(response)
    if (say.cseqOf(response) === 2) return this.#ended(call, status)
    if (status === 180) this.#ringing(call, now)
    else if (status >= 300) this.#refused(call, status, response)
    else if (status >= 200) this.#taken(call, response, now)
    else if (call.state === 'calling') call.waitMs = Infinity // 17.1.1.2: a provisional response ends the repeating
  }

  #beginDue(): void {
    const now = performance.now()
    const due = Math.floor(((now - this.#startedAt) / 1000) * this.#order.rate) + this.#firstNumber
    while (this.#number < due) this.#begin(this.#number++)
  }

  #begin(number: number): void {
    const socket = this.#sockets[number % this.#sockets.length]
    if (socket === undefined) return
    const { address, port } = socket.address()
    const pending = say.invite({ number, local: { address, port } })
    const now = performance.now()
    this.#calls.set(number, {
      ...{ number, local: { address, port }, socket, counts: this.#counts, state: 'calling', pending },
      ...{ begunAt: now, sentAt: now, waitMs: T1_MS, isRetransmitted: false },
    })
    if (this.#counts) this.#offered += 1
    this.#send(socket, pending)
  }

  #ringing(call: Call, now: number): void {
    if (call.state !== 'calling') return
    call.state = 'ringing'
    call.waitMs = Infinity
    if (call.counts) this.#times.push(now - call.begunAt)
  }

  #taken(call: Call, response: Buffer, now: number): void {
    const taken = say.readTaken(response)
    this.#send(call.socket, say.ack(call, taken))
    if (call.state === 'ending') return // the 200 came again, and so does the ACK
    call.state = 'ending'
    call.pending = say.bye(call, taken)
    call.sentAt = now
    call.waitMs = T1_MS
    this.#send(call.socket, call.pending)
  }

  #ended(call: Call, status: number): void {
    if (status < 200) return
    this.#calls.delete(call.number)
    if (status >= 300) this.#noteRefusal(call, status)
  }

  #refused(call: Call, status: number, response: Buffer): void {
    this.#send(call.socket, say.ackOfRefusal(call, say.readTaken(response).toTag))
    this.#calls.delete(call.number)
    this.#noteRefusal(call, status)
  }

  #noteRefusal(call: Call, status: number): void {
    this.#refusals[status] = (this.#refusals[status] ?? 0) + 1
    if (call.counts) this.#failed += 1
  }

  #repeatDue(now: number): void {
    for (const call of this.#calls.values()) {
      if (now - call.begunAt > GIVE_UP_MS) this.#fail(call)
      else if (now - call.sentAt >= call.waitMs) this.#repeat(call, now)
    }
  }

  #repeat(call: Call, now: number): void {
    if (call.counts && !call.isRetransmitted) this.#retransmitted += 1
    call.isRetransmitted = true
    call.sentAt = now
    call.waitMs *= 2
    this.#send(call.socket, call.pending)
  }

  #fail(call: Call): void {
    this.#calls.delete(call.number)
    if (call.counts) this.#failed += 1
  }

  #send(socket: Socket, bytes: Buffer): void {
    const { address, port } = this.#order.target
    socket.send(bytes, port, address)
  }
}
