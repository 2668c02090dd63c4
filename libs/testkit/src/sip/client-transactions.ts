import { cseqOf, paramOf, valueOf, valuesOf, type Address, type Request, type Response } from './message.ts'
import type { SipTimers, TimerSet } from './timers.ts'

type Send = (message: Request, to: Address) => void

export interface ClientTransaction {
  readonly request: Request
  readonly to: Address
  /** Undefined when nothing final came in time (timers B and F). */
  readonly final: Promise<Response | undefined>
  /** From sending to the first response of any kind, in milliseconds; undefined while there is none. */
  firstResponseMs: number | undefined
  retransmissions: number
}

export interface ClientHandlers {
  onProvisional?(response: Response): void
  /** A 2xx of an INVITE that came again: its ACK was lost. */
  onRepeated?(response: Response): void
}

interface Pending extends ClientTransaction {
  readonly handlers: ClientHandlers
  readonly sentAt: number
  settle: (response: Response | undefined) => void
  repetition: { stop(): void } | undefined
  giveUp: NodeJS.Timeout | undefined
  state: 'asking' | 'proceeding' | 'done'
}

/** Client transactions over UDP (RFC 3261, 17.1): retransmissions, time-outs, and the ACK of a refusal. */
export class ClientTransactions {
  retransmissions = 0
  readonly #pending = new Map<string, Pending>()
  readonly #timers: TimerSet
  readonly #settings: SipTimers
  readonly #send: Send

  constructor(send: Send, timers: TimerSet, settings: SipTimers) {
    this.#send = send
    this.#timers = timers
    this.#settings = settings
  }

  start(request: Request, to: Address, handlers: ClientHandlers = {}): ClientTransaction {
    const { promise: final, resolve: settle } = Promise.withResolvers<Response | undefined>()
    const transaction: Pending = {
      request,
      to,
      handlers,
      final,
      settle,
      sentAt: performance.now(),
      firstResponseMs: undefined,
      retransmissions: 0,
      repetition: undefined,
      giveUp: undefined,
      state: 'asking',
    }
    const { t1Ms, t2Ms, giveUpMs } = this.#settings
    // Timer A doubles without end (17.1.1.2), timer E up to T2 (17.1.2.2).
    const capMs = request.method === 'INVITE' ? Infinity : t2Ms
    transaction.repetition = this.#timers.repeat(t1Ms, capMs, () => this.#repeat(transaction))
    transaction.giveUp = this.#timers.after(giveUpMs, () => this.#end(transaction, undefined))
    this.#pending.set(keyOf(request), transaction)
    this.#send(request, to)
    return transaction
  }

  receive(response: Response): void {
    const transaction = this.#pending.get(keyOf(response))
    if (transaction === undefined) return
    transaction.firstResponseMs ??= performance.now() - transaction.sentAt
    if (transaction.state === 'done') return this.#onRepeated(transaction, response)
    if (response.status < 200) return this.#onProvisional(transaction, response)
    if (isInvite(transaction) && response.status >= 300) this.#acknowledge(transaction, response)
    this.#end(transaction, response)
  }

  #repeat(transaction: Pending): void {
    transaction.retransmissions++
    this.retransmissions++
    this.#send(transaction.request, transaction.to)
  }

  // An INVITE is not repeated, and may ring for ever, once it was heard of; another request goes on being repeated.
  #onProvisional(transaction: Pending, response: Response): void {
    if (isInvite(transaction)) {
      transaction.repetition?.stop()
      this.#timers.cancel(transaction.giveUp)
    }
    transaction.state = 'proceeding'
    transaction.handlers.onProvisional?.(response)
  }

  #onRepeated(transaction: Pending, response: Response): void {
    if (!isInvite(transaction) || response.status < 200) return
    if (response.status >= 300) this.#acknowledge(transaction, response)
    else transaction.handlers.onRepeated?.(response)
  }

  #end(transaction: Pending, response: Response | undefined): void {
    transaction.state = 'done'
    transaction.repetition?.stop()
    this.#timers.cancel(transaction.giveUp)
    this.#timers.after(this.#settings.giveUpMs, () => this.#pending.delete(keyOf(transaction.request)))
    transaction.settle(response)
  }

  // RFC 3261, 17.1.1.3: branch, Request-URI and Route of the INVITE, To of the response.
  #acknowledge({ request, to }: Pending, response: Response): void {
    this.#send(
      {
        kind: 'request',
        method: 'ACK',
        uri: request.uri,
        headers: [
          ['Via', valueOf(request, 'Via')],
          ...valuesOf(request, 'Route').map((route) => ['Route', route] as const),
          ['Max-Forwards', '70'],
          ['From', valueOf(request, 'From')],
          ['To', valueOf(response, 'To')],
          ['Call-ID', valueOf(request, 'Call-ID')],
          ['CSeq', `${cseqOf(request).number} ACK`],
        ],
        body: '',
      },
      to,
    )
  }
}

function isInvite({ request }: Pending): boolean {
  return request.method === 'INVITE'
}

function keyOf(message: Request | Response): string {
  return `${paramOf(valueOf(message, 'Via'), 'branch')} ${cseqOf(message).method}`
}
