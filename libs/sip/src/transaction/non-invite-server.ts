import { noBytes, type ServerSink } from './sink.ts'
import { giveUpMs, lateTryingMs, type TimerName, type Timers } from './timers.ts'

type State = 'trying' | 'proceeding' | 'completed' | 'terminated'

/** Non-INVITE server transaction (RFC 3261, 17.2.2, as changed by RFC 4320). */
export class NonInviteServer {
  readonly #isReliable: boolean
  readonly #timers: Timers
  readonly #sink: ServerSink
  #state: State = 'trying'
  #bytes = noBytes
  /** Whether a 100 may be sent yet (RFC 4320, 4.1). */
  #mayTry: boolean

  constructor(isReliable: boolean, timers: Timers, sink: ServerSink) {
    this.#isReliable = isReliable
    this.#timers = timers
    this.#sink = sink
    this.#mayTry = isReliable
  }

  get state(): State {
    return this.#state
  }

  /** The last response, which answers a retransmitted request; empty when there is none. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Once, before anything else. */
  start(): void {
    this.#sink.setTimer('trying', lateTryingMs(this.#timers))
  }

  /** It came again. */
  request(): void {
    if (this.#bytes.length > 0) this.#sink.send(this.#bytes)
  }

  /** There is none but for INVITE. */
  ack(): void {}

  /** The TU answers. */
  respond(status: number, bytes: Buffer): void {
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return
    if (status >= 200) this.#complete(status, bytes)
    // RFC 4320, 4.1: no provisional response but 100, and that not before a client would slow down by itself.
    else if (status === 100 && this.#mayTry) this.#proceed(bytes)
  }

  timer(name: TimerName): void {
    if (name === 'trying' && this.#state === 'trying') {
      this.#mayTry = true
      this.#sink.tryingDue()
    } else if (name === 'J' && this.#state === 'completed') {
      this.#enter('terminated', noBytes)
      this.#sink.ended()
    }
  }

  transportError(): void {
    if (this.#state !== 'terminated') this.#sink.transportFailed()
  }

  #proceed(bytes: Buffer): void {
    this.#enter('proceeding', bytes)
    this.#sink.clearTimer('trying')
    this.#sink.send(bytes)
  }

  // RFC 4320, 4.2: a 408 would come too late for anybody, so the request stays unanswered; its copies are absorbed all the same.
  #complete(status: number, bytes: Buffer): void {
    const isSilent = status === 408
    const wasTrying = this.#state === 'trying'
    if (this.#isReliable) this.#enter('terminated', noBytes)
    else this.#enter('completed', isSilent ? noBytes : bytes)
    if (wasTrying) this.#sink.clearTimer('trying')
    if (!isSilent) this.#sink.send(bytes)
    if (this.#isReliable) this.#sink.ended()
    else this.#sink.setTimer('J', giveUpMs(this.#timers))
  }

  #enter(state: State, bytes: Buffer): void {
    this.#state = state
    this.#bytes = bytes
  }
}
