import {
  addressOf,
  cseqOf,
  paramOf,
  valueOf,
  type Address,
  type Header,
  type Request,
  type Response,
} from './message.ts'
import type { SipTimers, TimerSet } from './timers.ts'

type Send = (message: Response, to: Address) => void

export interface ServerTransaction {
  readonly request: Request
  /** The last response sent. */
  readonly response: Response | undefined
  respond(response: Response): void
}

interface Known extends ServerTransaction {
  response: Response | undefined
  repetition: { stop(): void } | undefined
  giveUp: NodeJS.Timeout | undefined
}

/** Server transactions over UDP (RFC 3261, 17.2), with 2xx repeated until its ACK (13.3.1.4). */
export class ServerTransactions {
  /** Requests that came again. */
  repeated = 0
  /** Final responses to INVITE that nobody acknowledged. */
  unacknowledged = 0
  readonly #known = new Map<string, Known>()
  readonly #send: Send
  readonly #timers: TimerSet
  readonly #settings: SipTimers

  constructor(send: Send, timers: TimerSet, settings: SipTimers) {
    this.#send = send
    this.#timers = timers
    this.#settings = settings
  }

  /** A transaction where the request is new; a repeated one gets the last response again. */
  receive(received: Request, source: Address): ServerTransaction | undefined {
    const { request, replyTo } = arrived(received, source)
    const key = keyOf(request)
    const known = this.#known.get(key)
    if (known !== undefined) {
      this.repeated++
      if (known.response !== undefined) this.#send(known.response, replyTo)
      return undefined
    }
    const transaction: Known = {
      request,
      response: undefined,
      repetition: undefined,
      giveUp: undefined,
      respond: (response) => this.#respond(transaction, response, replyTo),
    }
    this.#known.set(key, transaction)
    return transaction
  }

  /** The INVITE that an ACK belongs to, by Call-ID and CSeq: an ACK of a 2xx has a branch of its own. */
  acknowledge(ack: Request): ServerTransaction | undefined {
    const wanted = `${valueOf(ack, 'Call-ID')} ${cseqOf(ack).number}`
    const invite = this.#known.get(this.#inviteKeys.get(wanted) ?? '')
    if (invite === undefined) return undefined
    invite.repetition?.stop()
    this.#timers.cancel(invite.giveUp)
    return invite
  }

  /** The INVITE that a CANCEL means: same branch (RFC 3261, 9.2). */
  cancelled(cancel: Request): ServerTransaction | undefined {
    return this.#known.get(`${branchOf(cancel)} INVITE`)
  }

  readonly #inviteKeys = new Map<string, string>()

  #respond(transaction: Known, response: Response, to: Address): void {
    transaction.response = response
    this.#send(response, to)
    if (response.status < 200) return
    const key = keyOf(transaction.request)
    const ackKey = `${valueOf(transaction.request, 'Call-ID')} ${cseqOf(transaction.request).number}`
    const { t1Ms, t2Ms, giveUpMs } = this.#settings
    if (transaction.request.method === 'INVITE') {
      this.#inviteKeys.set(ackKey, key)
      transaction.repetition = this.#timers.repeat(t1Ms, t2Ms, () => this.#send(response, to))
      transaction.giveUp = this.#timers.after(giveUpMs, () => {
        transaction.repetition?.stop()
        this.unacknowledged++
      })
    }
    this.#timers.after(giveUpMs + t1Ms, () => {
      this.#known.delete(key)
      if (this.#inviteKeys.get(ackKey) === key) this.#inviteKeys.delete(ackKey)
    })
  }
}

// RFC 3261, 18.2.1 and RFC 3581, 4: the address that it came from goes into the top Via, and answers go there.
function arrived(request: Request, source: Address): { request: Request; replyTo: Address } {
  const index = request.headers.findIndex(([name]) => name === 'Via')
  const via = request.headers[index]?.[1] ?? ''
  const sentBy = addressOf(via)
  const wantsPort = paramOf(via, 'rport') === ''
  const isElsewhere = wantsPort || sentBy.address !== source.address
  const stamped = wantsPort ? via.replace(/;\s*rport(?=;|$)/i, `;rport=${source.port}`) : via
  const header: Header = ['Via', isElsewhere ? `${stamped};received=${source.address}` : stamped]
  return {
    request: { ...request, headers: request.headers.with(index, header) },
    replyTo: { address: source.address, port: wantsPort ? source.port : sentBy.port },
  }
}

function branchOf(request: Request): string {
  return paramOf(valueOf(request, 'Via'), 'branch') ?? ''
}

function keyOf(request: Request): string {
  return `${branchOf(request)} ${request.method}`
}
