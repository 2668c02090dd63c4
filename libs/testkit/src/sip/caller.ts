import { randomBytes } from 'node:crypto'
import { Call, type CallPlan, type CallResult } from './call.ts'
import { belongsTo } from './dialog.ts'
import { hostPort, valueOf, type Address, type Header, type Message, type Request, type Response } from './message.ts'
import { Samples, type Quantiles } from './quantiles.ts'
import { sdp } from './sdp.ts'
import type { ServerTransaction } from './server-transactions.ts'
import type { SipTimers } from './timers.ts'
import { openUserAgent, responseTo, type UserAgent } from './user-agent.ts'

export interface CallerOptions {
  /** Where requests outside dialogs go; an address or a host name. */
  readonly target: Address
  /** Default 127.0.0.1, and a free port. */
  readonly localAddress?: string
  readonly localPort?: number
  /** Request-URI and To. Default `sip:bob@example.com`. */
  readonly to?: string
  readonly callMs?: number
  readonly timers?: Partial<SipTimers>
  /** Every message as it comes. */
  readonly onArrival?: (message: Message, source: Address) => void
  readonly onResult?: (result: CallResult) => void
}

export interface CallOptions extends Partial<CallPlan> {
  readonly callId?: string
  readonly to?: string
  readonly headers?: readonly Header[]
}

export interface CallerStatistics {
  readonly started: number
  readonly running: number
  readonly completed: number
  readonly cancelled: number
  readonly failed: number
  /** By reason, see `CallResult`. */
  readonly failures: Readonly<Record<string, number>>
  readonly retransmissions: number
  /** Calls by the `Server` that took them. */
  readonly answeredBy: Readonly<Record<string, number>>
  /** From INVITE to its first and to its final response, in milliseconds. */
  readonly firstResponseMs: Quantiles
  readonly setupMs: Quantiles
}

export interface Answered {
  /** Undefined when nothing came in time. */
  readonly response: Response | undefined
  readonly status: number | undefined
  readonly responseMs: number | undefined
  readonly retransmissions: number
}

/** A phone that calls, over real UDP: one call at a time with its result, or many at a rate. */
export interface Caller extends AsyncDisposable {
  readonly local: Address
  call(options?: CallOptions): Promise<CallResult>
  options(to?: string): Promise<Answered>
  register(user?: string): Promise<Answered>
  /** Any other request outside a dialog. */
  ask(method: string, to?: string, headers?: readonly Header[]): Promise<Answered>
  /** Calls at this rate, evenly spaced, until `stop` or another rate. */
  start(ratePerSecond: number): void
  /** No new calls; resolves when the running ones are over. */
  stop(): Promise<void>
  statistics(): CallerStatistics
  /** Calls that are up. */
  running(): readonly string[]
  close(): Promise<void>
}

const RATE_TICK_MS = 5

export async function createCaller(options: CallerOptions): Promise<Caller> {
  const calls = new Map<string, Call>()
  const agent = await openUserAgent({
    address: options.localAddress ?? '127.0.0.1',
    port: options.localPort ?? 0,
    ...(options.timers === undefined ? {} : { timers: options.timers }),
    onArrival(message, source) {
      options.onArrival?.(message, source)
      return true
    },
    onRequest: (transaction) => takeRequest(transaction, calls, agent),
  })
  return new UdpCaller(options, agent, calls)
}

// What the called side sends: BYE and re-INVITE of calls that are up.
function takeRequest(transaction: ServerTransaction, calls: ReadonlyMap<string, Call>, agent: UserAgent): void {
  const { request } = transaction
  const call = calls.get(valueOf(request, 'Call-ID'))
  if (call?.dialog === undefined || !belongsTo(call.dialog, request)) {
    transaction.respond(responseTo(request, request.method === 'OPTIONS' ? 200 : 481, { toTag: 'none' }))
    return
  }
  const isInvite = request.method === 'INVITE'
  const contact: Header = ['Contact', call.dialog.contact]
  const parts = { headers: [contact, ...(isInvite ? [['Content-Type', 'application/sdp'] as const] : [])] }
  transaction.respond(responseTo(request, 200, { ...parts, body: isInvite ? sdp(agent.local.address) : '' }))
  if (request.method === 'BYE') call.hungUp()
}

class UdpCaller implements Caller {
  readonly #options: CallerOptions
  readonly #agent: UserAgent
  readonly #calls: Map<string, Call>
  readonly #ends = new Set<Promise<unknown>>()
  readonly #counts = { started: 0, completed: 0, cancelled: 0, failed: 0 }
  readonly #failures: Record<string, number> = {}
  readonly #answeredBy: Record<string, number> = {}
  readonly #firstResponseMs = new Samples()
  readonly #setupMs = new Samples()
  #pace: NodeJS.Timeout | undefined

  constructor(options: CallerOptions, agent: UserAgent, calls: Map<string, Call>) {
    this.#options = options
    this.#agent = agent
    this.#calls = calls
  }

  get local(): Address {
    return this.#agent.local
  }

  async call(options: CallOptions = {}): Promise<CallResult> {
    const callId = options.callId ?? newToken()
    const call = new Call(this.#agent, callId, {
      callMs: options.callMs ?? this.#options.callMs ?? 0,
      reInvites: options.reInvites ?? 0,
      hangUp: options.hangUp ?? 'caller',
      cancelAfterMs: options.cancelAfterMs,
    })
    const body = sdp(this.local.address)
    const headers: Header[] = [...(options.headers ?? []), ['Content-Type', 'application/sdp']]
    this.#counts.started++
    this.#calls.set(callId, call)
    try {
      const result = await call.run(this.#request('INVITE', options.to, headers, callId, body), this.#options.target)
      this.#count(result)
      return result
    } finally {
      this.#calls.delete(callId)
    }
  }

  options(to?: string): Promise<Answered> {
    return this.ask('OPTIONS', to)
  }

  register(user = 'alice'): Promise<Answered> {
    return this.ask('REGISTER', `sip:${user}@example.com`)
  }

  async ask(method: string, to?: string, headers: readonly Header[] = []): Promise<Answered> {
    const transaction = this.#agent.ask(this.#request(method, to, headers), this.#options.target)
    const response = await transaction.final
    return {
      response,
      status: response?.status,
      responseMs: transaction.firstResponseMs,
      retransmissions: transaction.retransmissions,
    }
  }

  start(ratePerSecond: number): void {
    clearInterval(this.#pace)
    const startedAt = performance.now()
    let made = 0
    this.#pace = setInterval(() => {
      for (const due = ((performance.now() - startedAt) / 1000) * ratePerSecond; made < due; made++) this.#callAside()
    }, RATE_TICK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#pace)
    await Promise.all(this.#ends)
  }

  statistics(): CallerStatistics {
    return {
      ...this.#counts,
      running: this.#calls.size,
      failures: { ...this.#failures },
      retransmissions: this.#agent.clients.retransmissions,
      answeredBy: { ...this.#answeredBy },
      firstResponseMs: this.#firstResponseMs.quantiles(),
      setupMs: this.#setupMs.quantiles(),
    }
  }

  running(): readonly string[] {
    return [...this.#calls.values()].filter((call) => call.dialog !== undefined).map((call) => call.callId)
  }

  async close(): Promise<void> {
    clearInterval(this.#pace)
    await this.#agent.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #callAside(): void {
    const end = this.call().finally(() => this.#ends.delete(end))
    this.#ends.add(end)
  }

  #count(result: CallResult): void {
    this.#counts[result.outcome]++
    if (result.reason !== undefined) this.#failures[result.reason] = (this.#failures[result.reason] ?? 0) + 1
    if (result.answeredBy !== undefined) {
      this.#answeredBy[result.answeredBy] = (this.#answeredBy[result.answeredBy] ?? 0) + 1
    }
    if (result.firstResponseMs !== undefined) this.#firstResponseMs.add(result.firstResponseMs)
    if (result.setupMs !== undefined) this.#setupMs.add(result.setupMs)
    this.#options.onResult?.(result)
  }

  #request(
    method: string,
    to: string | undefined,
    headers: readonly Header[],
    callId = newToken(),
    body = '',
  ): Request {
    const uri = to ?? this.#options.to ?? 'sip:bob@example.com'
    const isRegister = method === 'REGISTER'
    return {
      kind: 'request',
      method,
      // A registrar is asked by its domain (RFC 3261, 10.2).
      uri: isRegister ? uri.replace(/^sip:.*@/, 'sip:') : uri,
      headers: [
        ['Max-Forwards', '70'],
        ['From', `<${isRegister ? uri : 'sip:alice@example.com'}>;tag=${newToken()}`],
        ['To', `<${uri}>`],
        ['Call-ID', callId],
        ['CSeq', `1 ${method}`],
        ['Contact', `<sip:alice@${hostPort(this.local)}>`],
        ...headers,
      ],
      body,
    }
  }
}

function newToken(): string {
  return randomBytes(8).toString('hex')
}
