import { randomBytes } from 'node:crypto'
import { belongsTo, calledDialog, nextRequest, type Dialog } from './dialog.ts'
import { hostPort, paramOf, uriOf, valueOf, type Address, type Header, type Message, type Request } from './message.ts'
import { sdp } from './sdp.ts'
import type { ServerTransaction } from './server-transactions.ts'
import { ServicePlaces } from './service-places.ts'
import type { SipTimers } from './timers.ts'
import { openUserAgent, responseTo, type UserAgent } from './user-agent.ts'

/** `ok`: as it should be; `silent`: everything is ignored; a number: this status. */
export type Answer = 'ok' | 'silent' | number

export interface SampleProxyOptions {
  /** Default 127.0.0.1. */
  readonly address?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** Given as `Server` in every answer, so that a caller knows who it talks to. */
  readonly name?: string
  /** Time of service of every request but ACK and CANCEL: the proxy's own reaction. Default 0. */
  readonly delayMs?: number
  /** How many requests are served at a time; the others wait. Default: any number. */
  readonly workers?: number
  /** From 180 to 200, in milliseconds. Default 0. */
  readonly ringMs?: number
  /** The header that tells the load in every answer: true for `SIP-Load`. Default: none. */
  readonly loadHeader?: string | boolean
  readonly answer?: Answer
  readonly timers?: Partial<SipTimers>
  /** Every message as it comes, repeated ones too. */
  readonly onArrival?: (message: Message, source: Address) => void
}

export interface SampleProxyCounters {
  /** New requests by method, and those that came again. */
  readonly requests: Readonly<Record<string, number>>
  readonly repeated: number
  /** Calls answered with 200 and acknowledged; ended by a BYE of either side. */
  readonly callsAnswered: number
  readonly callsEnded: number
  /** 200s that no ACK came for. */
  readonly unacknowledged: number
}

/** A proxy and the phone behind it in one: what a load balancer sees of a downstream proxy. Over real UDP. */
export interface SampleProxy extends AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly port: number
  /** `sip:address:port`. */
  readonly uri: string
  counters(): SampleProxyCounters
  /** Calls that are up, by Call-ID. */
  readonly dialogs: ReadonlyMap<string, Dialog>
  setDelay(delayMs: number): void
  /** For all methods, or for these. */
  setAnswer(answer: Answer, methods?: readonly string[]): void
  /** Fixed from now on; undefined: by the places of service again. */
  setLoad(load: number | undefined): void
  load(): number
  /** The called side hangs up; the status of its BYE, undefined without an answer. */
  hangUp(callId: string): Promise<number | undefined>
  /** Closes the socket: from now on the port refuses. */
  stop(): Promise<void>
}

export async function createSampleProxy(options: SampleProxyOptions = {}): Promise<SampleProxy> {
  const called = new CalledSide(options)
  const { address, port, timers, onArrival } = options
  const agent = await openUserAgent({
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
    ...(timers === undefined ? {} : { timers }),
    onArrival(message, source) {
      onArrival?.(message, source)
      return message.kind === 'response' || called.answerFor(message.method) !== 'silent'
    },
    onRequest: (transaction) => called.take(transaction),
    onAck: (_ack, invite) => called.confirm(invite),
  })
  called.open(agent)
  const stop = () => agent.close()
  return {
    name: called.name,
    address: agent.local.address,
    port: agent.local.port,
    uri: `sip:${hostPort(agent.local)}`,
    dialogs: called.dialogs,
    counters: () => called.counters(),
    setDelay: (delayMs) => called.setDelay(delayMs),
    setAnswer: (answer, methods) => called.setAnswer(answer, methods),
    setLoad: (load) => called.setLoad(load),
    load: () => called.load(),
    hangUp: (callId) => called.hangUp(callId),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

class CalledSide {
  readonly name: string
  readonly dialogs = new Map<string, Dialog>()
  readonly #options: SampleProxyOptions
  readonly #loadHeader: string | undefined
  readonly #requests: Record<string, number> = {}
  readonly #answers = new Map<string, Answer>()
  readonly #tags = new WeakMap<ServerTransaction, string>()
  readonly #unconfirmed = new Set<string>()
  #answer: Answer
  #fixedLoad: number | undefined
  #callsAnswered = 0
  #callsEnded = 0
  #agent: UserAgent | undefined
  #places: ServicePlaces | undefined

  constructor(options: SampleProxyOptions) {
    this.#options = options
    this.name = options.name ?? 'px'
    this.#loadHeader = options.loadHeader === true ? 'SIP-Load' : options.loadHeader || undefined
    this.#answer = options.answer ?? 'ok'
  }

  open(agent: UserAgent): void {
    this.#agent = agent
    this.#places = new ServicePlaces(this.#options.workers ?? Infinity, this.#options.delayMs ?? 0, agent.timers)
  }

  answerFor(method: string): Answer {
    return this.#answers.get(method) ?? this.#answer
  }

  setAnswer(answer: Answer, methods?: readonly string[]): void {
    if (methods === undefined) {
      this.#answer = answer
      this.#answers.clear()
    } else for (const method of methods) this.#answers.set(method, answer)
  }

  setDelay(delayMs: number): void {
    if (this.#places !== undefined) this.#places.delayMs = delayMs
  }

  setLoad(load: number | undefined): void {
    this.#fixedLoad = load
  }

  load(): number {
    return this.#fixedLoad ?? this.#places?.load() ?? 0
  }

  counters(): SampleProxyCounters {
    return {
      requests: { ...this.#requests },
      repeated: this.#agent?.servers.repeated ?? 0,
      unacknowledged: this.#agent?.servers.unacknowledged ?? 0,
      callsAnswered: this.#callsAnswered,
      callsEnded: this.#callsEnded,
    }
  }

  take(transaction: ServerTransaction): void {
    const { method } = transaction.request
    this.#count(method)
    if (method === 'CANCEL') this.#cancel(transaction)
    else this.#places?.serve(() => this.#serve(transaction))
  }

  confirm(invite: ServerTransaction | undefined): void {
    this.#count('ACK')
    if (invite !== undefined && this.#unconfirmed.delete(valueOf(invite.request, 'Call-ID'))) this.#callsAnswered++
  }

  async hangUp(callId: string): Promise<number | undefined> {
    const dialog = this.dialogs.get(callId)
    if (dialog === undefined || this.#agent === undefined) throw new Error(`${this.name} has no call ${callId}`)
    this.#end(callId)
    const { request, to } = nextRequest(dialog, 'BYE')
    return (await this.#agent.ask(request, to).final)?.status
  }

  #count(method: string): void {
    this.#requests[method] = (this.#requests[method] ?? 0) + 1
  }

  #serve(transaction: ServerTransaction): void {
    const { request } = transaction
    const answer = this.answerFor(request.method)
    if (answer === 'silent') return
    if (isInside(request) && !this.#knows(request)) this.#respond(transaction, 481)
    else if (answer !== 'ok') this.#respond(transaction, answer)
    else if (request.method === 'INVITE') this.#ring(transaction)
    else this.#finish(transaction)
  }

  #knows(request: Request): boolean {
    const dialog = this.dialogs.get(valueOf(request, 'Call-ID'))
    return dialog !== undefined && belongsTo(dialog, request)
  }

  #ring(transaction: ServerTransaction): void {
    this.#respond(transaction, 100)
    if (isInside(transaction.request)) return this.#pickUp(transaction)
    this.#respond(transaction, 180, [this.#contact()])
    this.#agent?.timers.after(this.#options.ringMs ?? 0, () => this.#pickUp(transaction))
  }

  #pickUp(transaction: ServerTransaction): void {
    if ((transaction.response?.status ?? 0) >= 200) return // cancelled meanwhile
    const body = sdp(this.#agent?.local.address ?? '')
    this.#respond(transaction, 200, [this.#contact(), ['Content-Type', 'application/sdp']], body)
    const callId = valueOf(transaction.request, 'Call-ID')
    if (transaction.response === undefined || this.dialogs.has(callId)) return
    this.dialogs.set(callId, calledDialog(transaction.request, transaction.response))
    this.#unconfirmed.add(callId)
  }

  #finish(transaction: ServerTransaction): void {
    const { request } = transaction
    if (request.method === 'BYE') this.#end(valueOf(request, 'Call-ID'))
    const isRegister = request.method === 'REGISTER'
    const binding: Header = ['Contact', `<${uriOf(valueOf(request, 'Contact'))}>;expires=3600`]
    this.#respond(transaction, 200, isRegister ? [binding] : [])
  }

  #cancel(transaction: ServerTransaction): void {
    const invite = this.#agent?.servers.cancelled(transaction.request)
    this.#respond(transaction, invite === undefined ? 481 : 200)
    if (invite !== undefined && (invite.response?.status ?? 0) < 200) this.#respond(invite, 487)
  }

  #end(callId: string): void {
    this.#unconfirmed.delete(callId)
    if (this.dialogs.delete(callId)) this.#callsEnded++
  }

  #respond(transaction: ServerTransaction, status: number, headers: readonly Header[] = [], body = ''): void {
    const load: Header[] = this.#loadHeader === undefined ? [] : [[this.#loadHeader, this.load().toFixed(2)]]
    const parts = { headers: [...headers, ['Server', this.name] as const, ...load], body }
    const toTag = status > 100 ? { toTag: this.#tagOf(transaction) } : {}
    transaction.respond(responseTo(transaction.request, status, { ...parts, ...toTag }))
  }

  #tagOf(transaction: ServerTransaction): string {
    const tag = this.#tags.get(transaction) ?? `${this.name}-${randomBytes(6).toString('hex')}`
    this.#tags.set(transaction, tag)
    return tag
  }

  #contact(): Header {
    return ['Contact', `<sip:${this.name}@${this.#agent === undefined ? '' : hostPort(this.#agent.local)}>`]
  }
}

function isInside(request: Request): boolean {
  return paramOf(valueOf(request, 'To'), 'tag') !== undefined
}
