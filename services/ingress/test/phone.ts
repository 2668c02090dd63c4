import { randomBytes } from 'node:crypto'
import { requestBytes, type RequestParts } from './messages.ts'
import { Peer, type Heard, type Place, type Wanted } from './peer.ts'

type Sent = RequestParts & Required<Pick<RequestParts, 'method' | 'uri' | 'via' | 'from' | 'to' | 'callId' | 'cseq'>>

/** A caller who writes each message himself: nothing is repeated, acknowledged or answered but by the test. */
export class Phone implements AsyncDisposable {
  readonly peer: Peer
  readonly balancer: Place

  constructor(peer: Peer, balancer: Place) {
    this.peer = peer
    this.balancer = balancer
  }

  static async open(balancer: Place, address = '127.0.0.1'): Promise<Phone> {
    return new Phone(await Peer.open(address), balancer)
  }

  /** A request that begins something new, unless the parts say otherwise. */
  ask(parts: RequestParts = {}): Sent {
    const sent: Sent = {
      ...parts,
      method: parts.method ?? 'INVITE',
      uri: parts.uri ?? 'sip:bob@example.com',
      via: parts.via ?? this.via(),
      from: parts.from ?? `<sip:alice@example.com>;tag=${token()}`,
      to: parts.to ?? '<sip:bob@example.com>',
      callId: parts.callId ?? token(),
      cseq: parts.cseq ?? 1,
      headers: [`Contact: <sip:alice@${this.peer.hostPort}>`, ...(parts.headers ?? [])],
    }
    this.again(sent)
    return sent
  }

  /** The very same octets, as a retransmission is. */
  again(sent: RequestParts): void {
    this.peer.send(requestBytes(sent), this.balancer)
  }

  next(wanted: Wanted, timeoutMs?: number): Promise<Heard> {
    return this.peer.next(wanted, timeoutMs)
  }

  count(wanted: Wanted): number {
    return this.peer.count(wanted)
  }

  cancel(invite: Sent): void {
    const { uri, via, from, to, callId, cseq } = invite
    this.again({ method: 'CANCEL', uri, via, from, to, callId, cseq })
  }

  /** The ACK of a refusal: hop by hop, with the branch of the INVITE (RFC 3261, 17.1.1.3). */
  acknowledge(invite: Sent, refusal: Heard): void {
    const { uri, via, from, callId, cseq } = invite
    this.again({ method: 'ACK', uri, via, from, to: refusal.one('To'), callId, cseq })
  }

  /** A request of the dialog that this 2xx (or 1xx) made: along its Record-Route (12.2.1.1). */
  follow(invite: Sent, response: Heard, method: string, parts: RequestParts = {}): Sent {
    const routes = response.all('Record-Route').toReversed()
    return this.ask({
      method,
      uri: /<([^>]*)>/.exec(response.one('Contact'))?.[1] ?? 'sip:nobody@127.0.0.1:9',
      from: invite.from,
      to: response.one('To'),
      callId: invite.callId,
      cseq: method === 'ACK' ? invite.cseq : invite.cseq + 1,
      ...parts,
      headers: [...routes.map((route) => `Route: ${route}`), ...(parts.headers ?? [])],
    })
  }

  via(): string {
    return `SIP/2.0/UDP ${this.peer.hostPort};rport;branch=z9hG4bK${token()}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.peer.close()
  }
}

export function token(): string {
  return randomBytes(6).toString('hex')
}
