import { SipError } from '../errors.ts'
import { buildAckForNon2xx } from '../message/build.ts'
import type { SipResponse } from '../message/message.ts'
import { ownCopy } from '../message/octets.ts'
import { scan } from '../message/scan.ts'
import { noBytes, type ClientSink } from './sink.ts'
import { giveUpMs, type TimerName, type Timers } from './timers.ts'

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'

/** INVITE client transaction (RFC 3261, 17.1.1, as changed by RFC 6026, 8.4). */
export class InviteClient {
  readonly #isReliable: boolean
  readonly #timers: Timers
  readonly #sink: ClientSink
  #state: State = 'calling'
  #bytes: Buffer
  /** Interval that Timer A runs on. */
  #retransmitMs: number
  #retransmitted = false

  /** @param request the INVITE as it goes out, our Via on top */
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

  /** The request while it may be needed for a retransmission or a CANCEL, then the ACK that is sent again. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Whether the request went out more than once: then nobody knows which copy an answer is for (Karn). */
  get retransmitted(): boolean {
    return this.#retransmitted
  }

  /** Once, before anything else. */
  start(): void {
    this.#sink.send(this.#bytes)
    if (!this.#isReliable) this.#sink.setTimer('A', this.#timers.t1Ms)
    this.#sink.setTimer('B', giveUpMs(this.#timers))
  }

  response(response: SipResponse): void {
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        return this.#heard(response)
      case 'completed':
        return this.#heardBehindRefusal(response)
      case 'accepted':
        if (is2xx(response)) this.#sink.response(response)
        return
      case 'terminated':
        return
    }
  }

  timer(name: TimerName): void {
    switch (this.#state) {
      case 'calling':
        if (name === 'A') this.#retransmit()
        else if (name === 'B') this.#giveUp()
        return
      case 'completed':
        if (name === 'D') this.#end()
        return
      case 'accepted':
        if (name === 'M') this.#end()
        return
      case 'proceeding':
      case 'terminated':
        return
    }
  }

  transportError(): void {
    if (this.#state !== 'calling' && this.#state !== 'completed') return
    this.#enter('terminated', noBytes)
    this.#sink.transportFailed()
    this.#sink.ended()
  }

  // 17.1.1.2: the interval doubles after each retransmission.
  #retransmit(): void {
    const ms = this.#retransmitMs * 2
    this.#retransmitMs = ms
    this.#retransmitted = true
    this.#sink.send(this.#bytes)
    this.#sink.setTimer('A', ms)
  }

  #heard(response: SipResponse): void {
    if (response.status >= 300) this.#complete(response)
    else if (response.status >= 200) this.#accept(response)
    else this.#proceed(response)
  }

  #proceed(response: SipResponse): void {
    this.#stopCalling('proceeding', this.#bytes)
    this.#sink.response(response)
  }

  // RFC 6026, 7.1: the transaction stays, so that 2xx of other forks and retransmissions find their way.
  #accept(response: SipResponse): void {
    this.#stopCalling('accepted', noBytes)
    this.#sink.response(response)
    this.#sink.setTimer('M', giveUpMs(this.#timers))
  }

  // 17.1.1.2: the ACK goes where the INVITE went; Timer D is 0 on reliable transports, at least 32 s otherwise.
  #complete(response: SipResponse): void {
    const ack = ackFor(this.#bytes, response)
    if (this.#isReliable) this.#stopCalling('terminated', noBytes)
    else this.#stopCalling('completed', ownCopy(ack))
    this.#sink.send(ack)
    this.#sink.response(response)
    if (this.#isReliable) this.#sink.ended()
    else this.#sink.setTimer('D', giveUpMs(this.#timers))
  }

  #heardBehindRefusal(response: SipResponse): void {
    if (response.status >= 300) this.#sink.send(this.#bytes)
    // 16.7 step 5 has a proxy downstream forward a late 2xx: the callee waits for its ACK, so the TU must see it.
    else if (is2xx(response)) this.#sink.response(response)
  }

  #giveUp(): void {
    this.#enter('terminated', noBytes)
    this.#sink.timeout()
    this.#sink.ended()
  }

  #end(): void {
    this.#enter('terminated', noBytes)
    this.#sink.ended()
  }

  /** Timers A and B belong to calling alone. */
  #stopCalling(state: State, bytes: Buffer): void {
    const wasCalling = this.#state === 'calling'
    this.#enter(state, bytes)
    if (!wasCalling) return
    if (!this.#isReliable) this.#sink.clearTimer('A')
    this.#sink.clearTimer('B')
  }

  #enter(state: State, bytes: Buffer): void {
    this.#state = state
    this.#bytes = bytes
  }
}

function is2xx({ status }: SipResponse): boolean {
  return status >= 200 && status < 300
}

function ackFor(request: Buffer, response: SipResponse): Buffer {
  const invite = scan(request, sentLimits)
  if (invite.kind === 'request') return buildAckForNon2xx(invite, response)
  throw new SipError('not-a-request', 'an INVITE client transaction was started with octets that are no request')
}

// What we sent may have grown over the limits of what we take in.
const sentLimits = { datagram: 1e6, headerLine: 1e6, headerLines: 1e6, whitespaceRun: 1e6 }
