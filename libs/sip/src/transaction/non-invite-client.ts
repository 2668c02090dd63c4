import type { SipResponse } from '../message/message.ts'
import { noBytes, type ClientSink } from './sink.ts'
import { giveUpMs, type TimerName, type Timers } from './timers.ts'

type State = 'trying' | 'proceeding' | 'completed' | 'terminated'

/** Non-INVITE client transaction (RFC 3261, 17.1.2). */
export class NonInviteClient {
  readonly #isReliable: boolean
  readonly #timers: Timers
  readonly #sink: ClientSink
  #state: State = 'trying'
  /** The request, while it may be sent again. */
  #bytes: Buffer
  /** Interval that Timer E runs on. */
  #retransmitMs: number
  #retransmitted = false

  /** @param request the request as it goes out, our Via on top */
  constructor(request: Buffer, isReliable: boolean, timers: Timers, sink: ClientSink) {
    this.#isReliable = isReliable
    this.#timers = timers
    this.#sink = sink
    this.#bytes = request
    this.#retransmitMs = timers.t1Ms
  }

  get state(): State {
    return this.#state
  }

  /** Whether the request went out more than once: then nobody knows which copy an answer is for (Karn). */
  get retransmitted(): boolean {
    return this.#retransmitted
  }

  /** Once, before anything else. */
  start(): void {
    this.#sink.send(this.#bytes)
    if (!this.#isReliable) this.#sink.setTimer('E', this.#timers.t1Ms)
    this.#sink.setTimer('F', giveUpMs(this.#timers))
  }

  /** Retransmitted responses are absorbed until Timer K fires (17.1.2.2). */
  response(response: SipResponse): void {
    if (!this.#isUnderWay) return
    if (response.status >= 200) return this.#complete(response)
    this.#state = 'proceeding'
    this.#sink.response(response)
  }

  timer(name: TimerName): void {
    switch (this.#state) {
      case 'trying':
      case 'proceeding':
        if (name === 'E') this.#retransmit()
        else if (name === 'F') this.#giveUp()
        return
      case 'completed':
        if (name === 'K') this.#end()
        return
      case 'terminated':
        return
    }
  }

  transportError(): void {
    if (!this.#isUnderWay) return
    this.#enter('terminated')
    this.#sink.transportFailed()
    this.#sink.ended()
  }

  get #isUnderWay(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding'
  }

  // 17.1.2.2: the interval doubles up to T2; once there was a provisional response, it is T2.
  #retransmit(): void {
    const { t2Ms } = this.#timers
    const ms = this.#state === 'proceeding' ? t2Ms : Math.min(this.#retransmitMs * 2, t2Ms)
    this.#retransmitMs = ms
    this.#retransmitted = true
    this.#sink.send(this.#bytes)
    this.#sink.setTimer('E', ms)
  }

  #complete(response: SipResponse): void {
    this.#enter(this.#isReliable ? 'terminated' : 'completed')
    if (!this.#isReliable) this.#sink.clearTimer('E')
    this.#sink.clearTimer('F')
    this.#sink.response(response)
    if (this.#isReliable) this.#sink.ended()
    else this.#sink.setTimer('K', this.#timers.t4Ms)
  }

  #giveUp(): void {
    this.#enter('terminated')
    this.#sink.timeout()
    this.#sink.ended()
  }

  #end(): void {
    this.#enter('terminated')
    this.#sink.ended()
  }

  /** Nothing is sent any more. */
  #enter(state: 'completed' | 'terminated'): void {
    this.#state = state
    this.#bytes = noBytes
  }
}
