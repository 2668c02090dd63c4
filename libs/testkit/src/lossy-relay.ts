import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Address } from './sip/message.ts'

export interface LossyRelayOptions {
  /** Where what comes in goes. */
  readonly target: Address
  /** Parts of the datagrams, each way: those that are lost, that go on twice, and that go on late, behind others. Default 0. */
  readonly loss?: number
  readonly duplicates?: number
  readonly reordered?: number
  /** Seeded, so that a run can be repeated. */
  readonly random: () => number
  /** Every datagram as it came in, whatever becomes of it. */
  readonly onDatagram?: (octets: Buffer, way: 'to-target' | 'back') => void
}

/** A bad network in front of somebody: a UDP port of 127.0.0.1. */
export interface LossyRelay extends AsyncDisposable, Address {
  /** What came in, both ways, and what became of it. */
  counters(): { readonly passed: number; readonly lost: number; readonly duplicated: number; readonly late: number }
}

/** What is late goes on within so long. */
const LATE_MS = 40

/** Relays datagrams to the target and its answers back, each sender by a socket of its own, so that the target can tell them apart. */
export async function startLossyRelay(options: LossyRelayOptions): Promise<LossyRelay> {
  const { target, onDatagram } = options
  const fate = new Fate(options)
  const front = await bound()
  const ways = new Map<string, Promise<Socket>>()
  const openWay = async (from: RemoteInfo) => {
    const way = await bound()
    way.on('message', (octets) => {
      onDatagram?.(octets, 'back')
      fate.carry(() => send(front, octets, from))
    })
    return way
  }
  front.on('message', (octets, from) => {
    onDatagram?.(octets, 'to-target')
    const key = `${from.address} ${from.port}`
    const way = ways.get(key) ?? openWay(from)
    ways.set(key, way)
    fate.carry(() => void way.then((socket) => send(socket, octets, target)))
  })
  return {
    ...{ address: '127.0.0.1', port: front.address().port },
    counters: () => ({ ...fate.counts }),
    async [Symbol.asyncDispose]() {
      fate.end()
      front.close()
      for (const way of ways.values()) (await way).close()
    },
  }
}

class Fate {
  readonly counts = { passed: 0, lost: 0, duplicated: 0, late: 0 }
  readonly #options: LossyRelayOptions
  readonly #late = new Set<NodeJS.Timeout>()

  constructor(options: LossyRelayOptions) {
    this.#options = options
  }

  carry(go: () => void): void {
    const { loss = 0, duplicates = 0, reordered = 0, random } = this.#options
    if (random() < loss) return void (this.counts.lost += 1)
    this.counts.passed += 1
    if (random() < duplicates) {
      this.counts.duplicated += 1
      this.#later(go)
    }
    if (random() >= reordered) return go()
    this.counts.late += 1
    this.#later(go)
  }

  end(): void {
    for (const timer of this.#late) clearTimeout(timer)
  }

  #later(go: () => void): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer)
      go()
    }, this.#options.random() * LATE_MS)
    this.#late.add(timer)
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1024 * 1024 })
  // Who has gone away refuses; to this network that is one loss more.
  socket.on('error', () => undefined)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

function send(socket: Socket, octets: Buffer, { address, port }: Address): void {
  socket.send(octets, port, address)
}
