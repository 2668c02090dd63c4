import { noBytes, type ServerSink } from './sink.ts'
import { giveUpMs, type TimerName, type Timers } from './timers.ts'

type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'

/** INVITE server transaction (RFC 3261, 17.2.1, as changed by RFC 6026, 8.5 to 8.7). */
export class InviteServer {
  readonly #isReliable: boolean
  readonly #timers: Timers
  readonly #sink: ServerSink
  #state: State = 'proceeding'
  #bytes = noBytes
  /** Interval that Timer G runs on. */
  #retransmitMs: number

  constructor(isReliable: boolean, timers: Timers, sink: ServerSink) {
    this.#isReliable = isReliable
    this.#timers = timers
    this.#sink = sink
    this.#retransmitMs = timers.t1Ms
  }

  get state(): State {
    return this.#state
  }

  /** The last response, which answers a retransmitted INVITE; empty when there is none. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Once, before anything else. */
  start(): void {
    this.#sink.setTimer('trying', this.#timers.tryingMs)
  }

  /** It came again. No response is kept of an accepted one, since the callee repeats its 2xx itself (RFC 6026, 7.1). */
  request(): void {
    if (this.#bytes.length > 0) this.#sink.send(this.#bytes)
  }

  ack(): void {
    if (this.#state === 'completed') this.#confirm()
    else if (this.#state === 'accepted') this.#sink.ackReceived()
  }

  /** The TU answers. Each 2xx goes through (RFC 6026, 7.1); behind a refusal nothing does (17.2.1). */
  respond(status: number, bytes: Buffer): void {
    if (this.#state === 'proceeding') this.#answer(status, bytes)
    else if (this.#state === 'accepted' && status >= 200 && status < 300) this.#sink.send(bytes)
  }

  timer(name: TimerName): void {
    switch (this.#state) {
      case 'proceeding':
        if (name === 'trying' && this.#bytes.length === 0) this.#sink.tryingDue()
        return
      case 'completed':
        if (name === 'G') this.#retransmit()
        else if (name === 'H') this.#end()
        return
      case 'confirmed':
        if (name === 'I') this.#end()
        return
      case 'accepted':
        if (name === 'L') this.#end()
        return
      case 'terminated':
        return
    }
  }

  // RFC 6026, 8.8
  transportError(): void {
    if (this.#state !== 'terminated') this.#sink.transportFailed()
  }

  #answer(status: number, bytes: Buffer): void {
    const isFirst = this.#bytes.length === 0
    if (status < 200) this.#enter('proceeding', bytes)
    else if (status < 300) this.#enter('accepted', noBytes)
    else this.#enter('completed', bytes)
    if (isFirst) this.#sink.clearTimer('trying')
    this.#sink.send(bytes)
    if (status >= 300) this.#awaitAck()
    else if (status >= 200) this.#sink.setTimer('L', giveUpMs(this.#timers))
  }

  #awaitAck(): void {
    if (!this.#isReliable) this.#sink.setTimer('G', this.#timers.t1Ms)
    this.#sink.setTimer('H', giveUpMs(this.#timers))
  }

  #retransmit(): void {
    const ms = Math.min(this.#retransmitMs * 2, this.#timers.t2Ms)
    this.#retransmitMs = ms
    this.#sink.send(this.#bytes)
    this.#sink.setTimer('G', ms)
  }

  // Timer I absorbs further ACKs; on reliable transports there are none.
  #confirm(): void {
    this.#enter(this.#isReliable ? 'terminated' : 'confirmed', noBytes)
    if (!this.#isReliable) this.#sink.clearTimer('G')
    this.#sink.clearTimer('H')
    if (this.#isReliable) this.#sink.ended()
    else this.#sink.setTimer('I', this.#timers.t4Ms)
  }

  #end(): void {
    this.#enter('terminated', noBytes)
    this.#sink.ended()
  }

  #enter(state: State, bytes: Buffer): void {
    this.#state = state
    this.#bytes = bytes
  }
}
