import { randomBytes } from 'node:crypto'
import { callerDialog, calledDialog, nextRequest, type Dialog } from '../sip/dialog.ts'
import { hostPort, printMessage, valueOf, type Header, type Request, type Response } from '../sip/message.ts'
import { sdp } from '../sip/sdp.ts'
import type { ServerTransaction } from '../sip/server-transactions.ts'
import { openUserAgent, responseTo, type UserAgent } from '../sip/user-agent.ts'
import { openWebEndpoint } from '../sip/web-endpoint.ts'
import { digestAnswer } from './digest.ts'
import { aorOf, type CallState, type Phone, type PhoneOptions } from './phone.ts'

export interface WebPhoneOptions extends Pick<PhoneOptions, 'user' | 'domain' | 'password' | 'outbound'> {
  readonly transport: 'ws' | 'wss'
}

const hex = () => randomBytes(6).toString('hex')

/** A phone as browsers are one: SIP by a WebSocket (RFC 7118). Resolves when it is registered. */
export async function startWebPhone(options: WebPhoneOptions): Promise<Phone> {
  const { transport, outbound } = options
  const messages: string[] = []
  const agent = await openUserAgent({
    open: (onMessage) => openWebEndpoint({ url: `${transport}://${hostPort(outbound)}`, onMessage }),
    onArrival(message) {
      messages.push(printMessage(message))
      return true
    },
    onRequest: (transaction) => phone.take(transaction),
  })
  const phone = new WebPhone(options, agent, messages)
  const status = await phone.register()
  if (status === 200) return phone
  await agent.close()
  throw new Error(`the web phone was not registered, but got ${status}:\n${phone.log()}`)
}

class WebPhone implements Phone {
  readonly user: string
  readonly aor: string
  readonly address: string
  readonly #options: WebPhoneOptions
  readonly #agent: UserAgent
  /** What came in. */
  readonly #messages: readonly string[]
  #dialog: Dialog | undefined
  #state: CallState = 'idle'

  constructor(options: WebPhoneOptions, agent: UserAgent, messages: readonly string[]) {
    this.user = options.user
    this.aor = aorOf(options)
    this.address = agent.local.address
    this.#options = options
    this.#agent = agent
    this.#messages = messages
  }

  /** Once more with credentials, when it is challenged. */
  async register(): Promise<number | undefined> {
    const { user, domain, password } = this.#options
    const [uri, callId] = [`sip:${domain}`, hex()]
    const request = this.#request('REGISTER', uri, this.aor, callId, [['Expires', '60']])
    const first = await this.#ask(request)
    if (first?.status !== 401) return first?.status
    const by = { user, password, uri, method: 'REGISTER' }
    const answer: Header = ['Authorization', digestAnswer(valueOf(first, 'WWW-Authenticate'), by)]
    return (await this.#ask(withHeader(request, answer, 2)))?.status
  }

  async dial(aor: string): Promise<void> {
    const type: Header = ['Content-Type', 'application/sdp']
    const invite = { ...this.#request('INVITE', aor, aor, hex(), [type]), body: this.#offer('sendrecv') }
    this.#state = 'setting-up'
    const answered = this.#ask(invite).then((final) => {
      if (final === undefined || final.status >= 300) return this.#over()
      this.#dialog = callerDialog(invite, final)
      this.#acknowledge()
      this.#state = 'established'
    })
    answered.catch(() => this.#over())
  }

  hold(): Promise<void> {
    return this.#reinvite('sendonly', 'on-hold')
  }

  resume(): Promise<void> {
    return this.#reinvite('sendrecv', 'established')
  }

  async hangUp(): Promise<void> {
    const final = await this.#ask(this.#next('BYE'))
    if (final?.status === 200) this.#over()
  }

  async callState(): Promise<CallState> {
    return this.#state
  }

  log(): string {
    return this.#messages.join('\n')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#agent.close()
  }

  /** It answers every call, and whatever else it is asked. */
  take(transaction: ServerTransaction): void {
    const { request } = transaction
    if (request.method === 'INVITE') this.#answer(transaction)
    else transaction.respond(responseTo(request, 200))
    if (request.method === 'BYE') this.#over()
  }

  #answer(transaction: ServerTransaction): void {
    const { request } = transaction
    const headers: Header[] = [this.#contact(), ['Content-Type', 'application/sdp']]
    const response = responseTo(request, 200, { toTag: hex(), headers, body: this.#offer('sendrecv') })
    transaction.respond(response)
    this.#dialog ??= calledDialog(request, response)
    this.#state = /^a=(sendonly|inactive)/m.test(request.body) ? 'held' : 'established'
  }

  async #reinvite(direction: string, then: CallState): Promise<void> {
    const final = await this.#ask(this.#next('INVITE', this.#offer(direction)))
    this.#acknowledge()
    if (final?.status === 200) this.#state = then
  }

  #next(method: string, body = ''): Request {
    if (this.#dialog === undefined) throw new Error(`${this.user} has no call`)
    const { dialog, request } = nextRequest(this.#dialog, method, body)
    this.#dialog = dialog
    return request
  }

  #acknowledge(): void {
    this.#agent.acknowledge(this.#next('ACK'), this.#options.outbound)
  }

  #over(): void {
    this.#dialog = undefined
    this.#state = 'idle'
  }

  #ask(request: Request): Promise<Response | undefined> {
    return this.#agent.ask(request, this.#options.outbound).final
  }

  #request(method: string, uri: string, to: string, callId: string, more: readonly Header[]): Request {
    const headers: Header[] = [
      ['Max-Forwards', '70'],
      ['From', `<${this.aor}>;tag=${hex()}`],
      ['To', `<${to}>`],
      ['Call-ID', callId],
      ['CSeq', `1 ${method}`],
      this.#contact(),
      ...more,
    ]
    return { kind: 'request', method, uri, headers, body: '' }
  }

  #contact(): Header {
    return ['Contact', `<sip:${this.user}@${this.address};transport=ws>`]
  }

  #offer(direction: string): string {
    return `${sdp('127.0.0.1')}a=${direction}\r\n`
  }
}

function withHeader(request: Request, header: Header, cseq: number): Request {
  const headers = request.headers.map((one): Header =>
    one[0] === 'CSeq' ? ['CSeq', `${cseq} ${request.method}`] : one,
  )
  return { ...request, headers: [...headers, header] }
}
