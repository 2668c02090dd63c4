import type { Flow } from '@siplb/sip/transport'
import type { Bench, Suite } from './bench.ts'
import { ack, bye, invite, readTaken } from './calls/messages.ts'
import { bareIngress } from './ingress-without-sockets.ts'
import { answerTo } from './samples.ts'

/** As at 500 calls a second: what is kept for 32 s of simulated time is that of 16,000 calls. */
const MS_PER_CALL = 2
/** By the end of the warm-up as many calls are forgotten as begin. */
const RUNS = { warmUp: 20_000, round: 500 }
/** Calls between two flushes of what is published. */
const CALLS_PER_FLUSH = 200

const phone = { transport: 'udp', address: '192.0.2.1', port: 5070 } as const
const proxy = { transport: 'udp', address: '192.0.2.51', port: 5060 } as const
const local = { transport: 'udp', address: '192.0.2.50', port: 5060 } as const

/** Calls by an ingress without sockets; the messages of phone and proxy are made outside of what is timed, where that can be. */
class Calls {
  #now = 0
  #number = 0
  #toProxy: Buffer = Buffer.alloc(0)
  #toPhone: Buffer = Buffer.alloc(0)
  readonly #ingress = bareIngress({
    ...{ now: () => this.#now, local, proxy },
    sent: (bytes) => void (this.#toProxy = bytes),
  })
  readonly #fromPhone = this.#flow(phone, (bytes) => void (this.#toPhone = bytes))
  readonly #fromProxy = this.#flow(proxy, () => {})

  /** INVITE, 180, 200. */
  setUp(): Buffer {
    this.#next()
    const dialog = { number: this.#number, local: phone }
    this.#phoneSays(invite(dialog))
    this.#proxySays('180 Ringing')
    this.#proxySays('200 OK')
    return this.#toPhone
  }

  /** INVITE, 100, 180, 200, ACK, BYE, 200. */
  whole(): Buffer {
    this.#next()
    const dialog = { number: this.#number, local: phone }
    this.#phoneSays(invite(dialog))
    this.#proxySays('100 Trying')
    this.#proxySays('180 Ringing')
    this.#proxySays('200 OK')
    const taken = readTaken(this.#toPhone)
    this.#phoneSays(ack(dialog, taken))
    this.#phoneSays(bye(dialog, taken))
    this.#proxySays('200 OK')
    return this.#toPhone
  }

  get counts(): string {
    const { servers, clients, wheel } = this.#ingress.ctx
    return `${servers.size} server and ${clients.size} client transactions, ${wheel.size} timers`
  }

  #next(): void {
    this.#now += MS_PER_CALL
    this.#number += 1
    if (this.#number % CALLS_PER_FLUSH === 0) void this.#ingress.ctx.publisher.flush()
  }

  #phoneSays(bytes: Buffer): void {
    this.#ingress.loop.receive({ bytes, flow: this.#fromPhone, receivedAt: this.#now })
  }

  #proxySays(status: string): void {
    this.#ingress.loop.receive({ bytes: answerTo(this.#toProxy, status), flow: this.#fromProxy, receivedAt: this.#now })
  }

  #flow(remote: Flow['remote'], send: (bytes: Buffer) => void): Flow {
    return { transport: 'udp', isReliable: false, isOpen: true, local, remote, send }
  }
}

/** What the messages of the other two sides cost here. */
function ownMessages(): Bench {
  const dialog = { number: 1, local: phone }
  const asked = invite(dialog)
  const run = () => {
    const ok = answerTo(asked, '200 OK')
    const taken = readTaken(ok)
    return [
      invite(dialog),
      answerTo(asked, '100 Trying'),
      answerTo(asked, '180 Ringing'),
      ack(dialog, taken),
      bye(dialog, taken),
      answerTo(asked, '200 OK'),
    ]
  }
  return { name: 'the messages of phone and proxy in the call below', run }
}

const calls = new Calls()
const name = 'a whole call through the ingress, without sockets and bus'

export const suite: Suite = {
  benches: [ownMessages(), { name, run: () => calls.whole(), runs: RUNS }],
  notes: (micros) => {
    const [own, all] = [micros.get('the messages of phone and proxy in the call below'), micros.get(name)]
    if (own === undefined || all === undefined) return []
    return [`a call without the messages that others make: ${(all - own).toFixed(1)} µs; at the end ${calls.counts}`]
  },
}
