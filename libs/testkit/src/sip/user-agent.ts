import { randomBytes } from 'node:crypto'
import { ClientTransactions, type ClientHandlers, type ClientTransaction } from './client-transactions.ts'
import { openEndpoint, type Endpoint, type EndpointOptions } from './endpoint.ts'
import { valueOf, valuesOf, type Address, type Header, type Message, type Request, type Response } from './message.ts'
import { ServerTransactions, type ServerTransaction } from './server-transactions.ts'
import { rfcTimers, TimerSet, type SipTimers } from './timers.ts'

export interface UserAgentOptions {
  readonly address?: string
  readonly port?: number
  /** Left out: a UDP socket there. */
  readonly open?: (onMessage: EndpointOptions['onMessage']) => Promise<Endpoint>
  readonly timers?: Partial<SipTimers>
  /** Every message as it comes, before anything else happens; false drops it. */
  readonly onArrival?: (message: Message, source: Address) => boolean
  readonly onRequest: (transaction: ServerTransaction) => void
  /** With the INVITE that it acknowledges, where that is known. */
  readonly onAck?: (ack: Request, invite: ServerTransaction | undefined) => void
}

/** The half of a SIP element that callers and called have in common: a socket, and transactions in both directions. */
export interface UserAgent {
  readonly local: Address
  readonly clients: ClientTransactions
  readonly servers: ServerTransactions
  readonly timers: TimerSet
  /** Sends a request in a new transaction; its Via is added here. */
  ask(request: Request, to: Address, handlers?: ClientHandlers): ClientTransaction
  /** An ACK of a 2xx: sent once, it has no transaction. */
  acknowledge(ack: Request, to: Address): void
  cancel(invite: ClientTransaction): ClientTransaction
  close(): Promise<void>
}

export async function openUserAgent(options: UserAgentOptions): Promise<UserAgent> {
  const settings = { ...rfcTimers, ...options.timers }
  const timers = new TimerSet()
  const send = (message: Message, to: Address) => endpoint.send(message, to)
  const clients = new ClientTransactions(send, timers, settings)
  const servers = new ServerTransactions(send, timers, settings)

  const onMessage = (message: Message, source: Address) => {
    if (options.onArrival?.(message, source) === false) return
    if (valueOf(message, 'Via') === '') return
    if (message.kind === 'response') return clients.receive(message)
    if (message.method === 'ACK') return options.onAck?.(message, servers.acknowledge(message))
    const transaction = servers.receive(message, source)
    if (transaction !== undefined) options.onRequest(transaction)
  }
  const endpoint: Endpoint = await (options.open ?? udpAt(options))(onMessage)
  const withVia = (request: Request): Request => {
    const via: Header = ['Via', `${endpoint.via};rport;branch=z9hG4bK${randomBytes(8).toString('hex')}`]
    return { ...request, headers: [via, ...request.headers] }
  }
  return {
    local: endpoint.local,
    clients,
    servers,
    timers,
    ask: (request, to, handlers) => clients.start(withVia(request), to, handlers),
    acknowledge: (ack, to) => endpoint.send(withVia(ack), to),
    cancel: ({ request, to }) => clients.start(cancelOf(request), to),
    async close() {
      timers.clear()
      await endpoint.close()
    },
  }
}

function udpAt({ address, port }: UserAgentOptions): NonNullable<UserAgentOptions['open']> {
  const given = { ...(address === undefined ? {} : { address }), ...(port === undefined ? {} : { port }) }
  return (onMessage) => openEndpoint({ ...given, onMessage })
}

// RFC 3261, 9.1: everything of the INVITE, but the method.
function cancelOf(invite: Request): Request {
  const kept = new Set(['via', 'route', 'max-forwards', 'from', 'to', 'call-id'])
  const headers = invite.headers.filter(([name]) => kept.has(name.toLowerCase()))
  const cseq: Header = ['CSeq', valueOf(invite, 'CSeq').replace('INVITE', 'CANCEL')]
  return { kind: 'request', method: 'CANCEL', uri: invite.uri, headers: [...headers, cseq], body: '' }
}

const reasons: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  200: 'OK',
  302: 'Moved Temporarily',
  404: 'Not Found',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
}

export interface ResponseParts {
  /** Of the To header; 100 has none. */
  readonly toTag?: string
  readonly headers?: readonly Header[]
  readonly body?: string
}

/** A response of this request (RFC 3261, 8.2.6); one that makes a dialog carries its Record-Route (12.1.1). */
export function responseTo(request: Request, status: number, parts: ResponseParts = {}): Response {
  const to = valueOf(request, 'To')
  const tagged = parts.toTag === undefined || /;\s*tag=/.test(to) ? to : `${to};tag=${parts.toTag}`
  const makesDialog = request.method === 'INVITE' && status > 100 && status < 300
  const echoed = (name: string) => valuesOf(request, name).map((value): Header => [name, value])
  return {
    kind: 'response',
    status,
    reason: reasons[status] ?? 'Answer',
    headers: [
      ...echoed('Via'),
      ...(makesDialog ? echoed('Record-Route') : []),
      ['From', valueOf(request, 'From')],
      ['To', tagged],
      ['Call-ID', valueOf(request, 'Call-ID')],
      ['CSeq', valueOf(request, 'CSeq')],
      ...(parts.headers ?? []),
    ],
    body: parts.body ?? '',
  }
}
