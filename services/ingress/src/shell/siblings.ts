import type { Endpoint, Packet } from '@siplb/sip/transport'
import { CarriedFlow } from './carried-flow.ts'
import type { Carried, WorkerMessage } from './worker-messages.ts'

/** To the other workers of this instance, by way of their parent. */
export interface WorkerChannel {
  /** How many workers there are, this one included. */
  readonly count: number
  send(to: number | 'others', message: WorkerMessage): void
  onMessage(listener: (from: number, message: WorkerMessage) => void): void
  onRegrouped(listener: () => void): void
}

/** What the others ask of this worker. */
interface SiblingHost {
  hasAny(keys: readonly string[]): boolean
  receive(packet: Packet): void
  /** By the listening socket with this local address. */
  sendFrom(local: Endpoint, remote: Endpoint, bytes: Buffer): void
  /** By the connection to there. */
  sendBy(remote: Endpoint, bytes: Buffer): void
}

export interface SiblingsOptions {
  readonly worker: number
  readonly channel: WorkerChannel
  readonly host: SiblingHost
  readonly now: () => number
  readonly later: (ms: number, work: () => void) => void
}

/** 64 × T1: so long a request may be sent again (RFC 3261, 17.1). */
const UNSETTLED_MS = 32_000
/** A worker that does not answer has nothing: it is busy, or just gone. */
const ANSWER_MS = 200
/** A bound on what a flood of strays costs; beyond, they are taken for what they seem to be. */
const MOST_OFFERED = 1000

interface Offer {
  unanswered: number
  readonly onDeclined: () => void
}

/**
 * The other workers that share our ports. The system gives all datagrams of one source port to one of us, and all of one connection;
 * but the sender of a CANCEL, an ACK or a further request may be another socket, and when a worker comes or goes, most source ports
 * move to another one. So what belongs to a transaction, or to a connection, of another worker is carried there.
 */
export class Siblings {
  readonly #options: SiblingsOptions
  readonly #offers = new Map<number, Offer>()
  #lastOffer = 0
  #settledAt: number

  constructor(options: SiblingsOptions) {
    const { channel, now } = options
    this.#options = options
    // Our own coming moved source ports, some of them to us.
    this.#settledAt = now() + UNSETTLED_MS
    channel.onMessage((from, message) => this.#hear(from, message))
    channel.onRegrouped(() => {
      this.#settledAt = now() + UNSETTLED_MS
    })
  }

  /** Whether another worker has this number. */
  has(worker: number): boolean {
    return worker !== this.#options.worker && worker < this.#options.channel.count
  }

  /** Workers came or went a moment ago, so that any request may be a copy of one that another worker has. */
  get isUnsettled(): boolean {
    return this.#options.now() < this.#settledAt
  }

  /** Gives a message to its owner. False where it was carried already: nobody is asked twice. */
  carry(worker: number, packet: Packet): boolean {
    if (isCarried(packet) || !this.has(worker)) return false
    this.#options.channel.send(worker, { kind: 'packet', packet: carriedFrom(packet) })
    return true
  }

  /** Asks all for the owner of one of these transactions; false where that is of no use. */
  offer(packet: Packet, keys: readonly string[], onDeclined: () => void): boolean {
    if (isCarried(packet) || this.#offers.size >= MOST_OFFERED) return false
    const { channel, later } = this.#options
    this.#lastOffer += 1
    const id = this.#lastOffer
    this.#offers.set(id, { unanswered: channel.count - 1, onDeclined })
    later(ANSWER_MS, () => this.#end(id)?.onDeclined())
    channel.send('others', { kind: 'offer', id, keys, packet: carriedFrom(packet) })
    return true
  }

  #hear(from: number, message: WorkerMessage): void {
    const { host, channel } = this.#options
    switch (message.kind) {
      case 'packet':
        return this.#take(from, message.packet)
      case 'offer': {
        const isTaken = host.hasAny(message.keys)
        channel.send(from, { kind: 'offer-answer', id: message.id, isTaken })
        if (isTaken) this.#take(from, message.packet)
        return
      }
      case 'offer-answer':
        return this.#answered(message.id, message.isTaken)
      case 'reply':
        return host.sendBy(message.remote, bufferOf(message.bytes))
    }
  }

  #answered(id: number, isTaken: boolean): void {
    const offer = this.#offers.get(id)
    if (offer === undefined) return
    if (isTaken) return void this.#end(id)
    offer.unanswered -= 1
    if (offer.unanswered === 0) this.#end(id)?.onDeclined()
  }

  #end(id: number): Offer | undefined {
    const offer = this.#offers.get(id)
    this.#offers.delete(id)
    return offer
  }

  #take(from: number, carried: Carried): void {
    const { host, channel } = this.#options
    const { local, remote } = carried
    // We listen at the same address: a datagram may go out by any of our sockets.
    const send = (bytes: Buffer) =>
      carried.isReliable ? channel.send(from, { kind: 'reply', remote, bytes }) : host.sendFrom(local, remote, bytes)
    host.receive({
      bytes: bufferOf(carried.bytes),
      flow: new CarriedFlow(carried, send),
      receivedAt: performance.now(),
    })
  }
}

function isCarried({ flow }: Packet): boolean {
  return flow instanceof CarriedFlow
}

function carriedFrom({ bytes, flow: { local, remote, isReliable } }: Packet): Carried {
  return { bytes, local, remote, isReliable }
}

/** The channel may make a plain array of octets of it. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
