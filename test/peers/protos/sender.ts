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
  /** The messages of a case, one after another; a connection of its own where there are any. */
  sendCase(messages: readonly Buffer[]): Promise<void>
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
  let sinceFence = 0
  return {
    transport: 'UDP',
    port: peer.place.port,
    send: (bytes) => peer.send(bytes, to),
    async sendCase(messages) {
      for (const bytes of messages) peer.send(bytes.subarray(0, DATAGRAM), to)
      sinceFence += messages.reduce((sum, { length }) => sum + length + 1_000, 0)
      if (sinceFence < FENCE) return
      sinceFence = 0
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
    async sendCase(messages) {
      await using own = await StreamPeer.connect(to)
      for (const bytes of messages) own.send(bytes)
      // Until it is answered or hung up on; some cases are neither, as they seem to go on.
      await waitFor(() => own.isEnded || own.heard.length > 0, 150).catch(() => {})
    },
    next: (wanted, timeoutMs) => peer.next(wanted, timeoutMs),
    [Symbol.asyncDispose]: () => peer.close(),
  }
}
