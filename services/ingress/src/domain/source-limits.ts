import type { IngressLimits } from '@siplb/contracts'
import { networkOf } from '@siplb/routing'
import { ProvenSources } from './proven-sources.ts'
import { SourceBuckets } from './source-buckets.ts'

/** Which limit a request is over. */
export type OverLimit = 'rate-of-address' | 'rate-of-network' | 'rate-of-strangers'

const STRANGERS = 'all'

/**
 * How many new requests a source may begin. Three bounds, each for another attack:
 * 1. an address, for a source that floods;
 * 2. its network (/24, /64), for one that has many addresses. Who is proven has left it: a bad neighbour locks nobody out;
 * 3. all sources together whose address is nothing but the word of a datagram, for one that invents addresses: each of them keeps
 *    within the first two, and what is kept for their requests would grow without end.
 */
export class SourceLimits {
  readonly #addresses: SourceBuckets
  readonly #networks: SourceBuckets
  readonly #strangers: SourceBuckets
  readonly #proven = new ProvenSources()

  constructor(limits: IngressLimits) {
    this.#addresses = new SourceBuckets(limits.perAddress)
    this.#networks = new SourceBuckets(limits.perNetwork)
    this.#strangers = new SourceBuckets(limits.strangers)
  }

  configure({ perAddress, perNetwork, strangers }: IngressLimits): void {
    this.#addresses.configure(perAddress)
    this.#networks.configure(perNetwork)
    this.#strangers.configure(strangers)
  }

  isProven(address: string): boolean {
    return this.#proven.has(address)
  }

  prove(address: string, now: number): void {
    this.#proven.add(address, now)
  }

  /** Takes a token of each bucket that holds for this source, or none and says which is empty. */
  take(address: string, isConnected: boolean, now: number): OverLimit | undefined {
    if (!this.#addresses.has(address, now)) return 'rate-of-address'
    if (!this.isProven(address)) {
      const network = networkOf(address)
      if (!this.#networks.has(network, now)) return 'rate-of-network'
      // Who has a connection received our part of the handshake: his address is his.
      if (!isConnected && !this.#strangers.take(STRANGERS, now)) return 'rate-of-strangers'
      this.#networks.take(network, now)
    }
    this.#addresses.take(address, now)
    return undefined
  }
}
