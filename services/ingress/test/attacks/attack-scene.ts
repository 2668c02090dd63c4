import { expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { startIngress, type IngressUnderTest } from '../ingress-under-test.ts'
import { requestBytes, type RequestParts } from '../messages.ts'
import { Peer, type Heard, type Wanted } from '../peer.ts'
import { token } from '../phone.ts'
import { StreamPeer } from '../stream-peer.ts'

export const transports = ['UDP', 'TCP'] as const
export type AttackTransport = (typeof transports)[number]

/** Whoever says what nobody should, by one transport. */
interface Attacker {
  readonly hostPort: string
  send(bytes: Buffer | string): void
  next(wanted: Wanted, timeoutMs?: number): Promise<Heard>
  readonly heard: readonly Heard[]
  /** Whether it was hung up on; never by UDP. */
  readonly isEnded: boolean
}

/** An ingress by both transports, and two proxies by UDP of which px1 is asked first. */
export interface AttackScene extends AsyncDisposable {
  readonly lb: IngressUnderTest
  readonly px1: Peer
  readonly px2: Peer
  readonly transport: AttackTransport
  readonly attacker: Attacker
  /** An ordinary INVITE but for these parts. */
  invite(parts?: RequestParts): Buffer
  /** It answers somebody else who asks how it is. */
  expectAlive(): Promise<void>
  /** A counter or gauge comes to this. */
  expectCounted(metric: string, labels: Readonly<Record<string, string>>, count: number): Promise<void>
  /** Nothing of the kind reached a proxy. */
  expectNoneForwarded(): void
}

export async function attackScene(transport: AttackTransport): Promise<AttackScene> {
  await using stack = new AsyncDisposableStack()
  const [px1, px2] = [stack.use(await Peer.open()), stack.use(await Peer.open())]
  const proxies = [
    { id: 'px1', uri: px1.uri, tier: 1 },
    { id: 'px2', uri: px2.uri, tier: 2 },
  ]
  const lb = stack.use(await startIngress({ listen: ['tcp'], pools: { default: { proxies } } }))
  const attacker =
    transport === 'UDP' ? byUdp(stack.use(await Peer.open()), lb) : stack.use(await StreamPeer.connect(lb.place))
  const bystander = stack.use(await Peer.open())
  const owned = stack.move()
  const via = (by: string, peer: { readonly hostPort: string }) =>
    `SIP/2.0/${by} ${peer.hostPort};rport;branch=z9hG4bK${token()}`
  return {
    ...{ lb, px1, px2, transport, attacker },
    invite: (parts = {}) => requestBytes({ via: via(transport, attacker), callId: token(), ...parts }),
    async expectAlive() {
      const options = { method: 'OPTIONS', uri: `sip:${lb.hostPort}`, callId: token() }
      bystander.send(requestBytes({ ...options, via: via('UDP', bystander) }), lb.place)
      expect((await bystander.next(200)).one('Call-ID')).toBe(options.callId)
    },
    expectCounted: (metric, labels, count) => eventually(() => lb.metric(metric, labels), count),
    expectNoneForwarded: () => expect([...px1.heard, ...px2.heard].map(({ startLine }) => startLine)).toEqual([]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function byUdp(peer: Peer, lb: IngressUnderTest): Attacker {
  return {
    hostPort: peer.hostPort,
    send: (bytes) => peer.send(bytes, lb.place),
    next: (wanted, timeoutMs) => peer.next(wanted, timeoutMs),
    heard: peer.heard,
    isEnded: false,
  }
}

/** What was sent with this Content-Length, or these, in place of its own. */
export function withLengths(bytes: Buffer, ...lines: readonly string[]): Buffer {
  return Buffer.from(
    bytes.toString('latin1').replace(/Content-Length: \d+\r\n/, lines.map((line) => `${line}\r\n`).join('')),
    'latin1',
  )
}
