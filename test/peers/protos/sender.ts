import { randomBytes } from 'node:crypto'
import { waitFor } from '@siplb/testkit'
import { requestBytes } from '../../../services/ingress/test/messages.ts'
import { Peer, type Heard, type Place } from '../../../services/ingress/test/peer.ts'
import { StreamPeer } from '../../../services/ingress/test/stream-peer.ts'

/** Says octets to the balancer by one transport. */
export interface Sender extends AsyncDisposable {
  readonly transport: 'UDP' | 'TCP'
  readonly port: number
  send(bytes: Buffer): void
  /**
   * A request, and what tears it down: not before the request was passed on, or there would be nothing to pass on. By a
   * connection of its own, where there are any.
   */
  sendCase(invite: Buffer, teardown: readonly Buffer[]): Promise<void>
  next(wanted: string | number, timeoutMs?: number): Promise<Heard>
}

/** The most that UDP over IPv4 carries. */
const DATAGRAM = 65_507

/** No more octets at a time than the balancer's socket holds: what it drops would not be tried. */
const FENCE = 50_000

/** Once it answers this, it has read all that was sent before. */
async function fence(peer: Peer, to: Place): Promise<void> {
  const callId = randomBytes(6).toString('hex')
  const via = `SIP/2.0/UDP ${peer.hostPort};branch=z9hG4bK${callId}`
  const ask = () => peer.send(requestBytes({ method: 'OPTIONS', uri: `sip:${to.address}:${to.port}`, via, callId }), to)
  ask()
  const repeated = setInterval(ask, 500)
  const isAnswered = () => peer.heard.some((heard) => heard.one('Call-ID') === callId)
  await waitFor(isAnswered, 5_000, 'an answer to OPTIONS').finally(() => clearInterval(repeated))
  peer.heard.length = 0
}

export async function openUdp(to: Place): Promise<Sender> {
  const peer = await Peer.open()
  const later: Buffer[] = []
  let waiting = 0
  return {
    transport: 'UDP',
    port: peer.place.port,
    send: (bytes) => peer.send(bytes, to),
    async sendCase(invite, teardown) {
      const send = (bytes: Buffer) => peer.send(bytes.subarray(0, DATAGRAM), to)
      send(invite)
      later.push(...teardown)
      waiting += invite.length + 3_000
      if (waiting < FENCE) return
      waiting = 0
      await fence(peer, to)
      for (const bytes of later.splice(0)) send(bytes)
      await fence(peer, to)
    },
    next: (wanted, timeoutMs) => peer.next(wanted, timeoutMs),
    [Symbol.asyncDispose]: () => peer.close(),
  }
}

export async function openTcp(to: Place): Promise<Sender> {
  const peer = await StreamPeer.connect(to)
  return {
    transport: 'TCP',
    port: peer.place.port,
    send: (bytes) => peer.send(bytes),
    async sendCase(invite, teardown) {
      await using own = await StreamPeer.connect(to)
      // Some cases are neither answered nor hung up on, as they seem to go on.
      const heard = (count: number) => waitFor(() => own.isEnded || own.heard.length >= count, 100).catch(() => {})
      own.send(invite)
      await heard(1)
      for (const bytes of teardown) own.send(bytes)
      await heard(2)
    },
    next: (wanted, timeoutMs) => peer.next(wanted, timeoutMs),
    [Symbol.asyncDispose]: () => peer.close(),
  }
}
