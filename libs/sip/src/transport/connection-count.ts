import { isIPv6 } from 'node:net'
import type { StreamLimits } from './stream.ts'

/**
 * How many connections there are, in all and from each subscriber: an IPv4 address, or a /64 of IPv6, of which one has all
 * addresses. Who is exempt is not counted: no crowd of others keeps it out, and it takes no place of theirs.
 */
export class ConnectionCount {
  readonly #limits: Pick<StreamLimits, 'connections' | 'perAddress'>
  readonly #bySubscriber = new Map<string, number>()
  #counted = 0
  #exempt = 0

  constructor(limits: Pick<StreamLimits, 'connections' | 'perAddress'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#counted + this.#exempt
  }

  /** Counts one more from this address, or says which limit forbids it. */
  enter(address: string, isExempt: boolean): 'connection-limit' | 'address-limit' | undefined {
    if (isExempt) {
      this.#exempt++
      return undefined
    }
    const subscriber = subscriberOf(address)
    const known = this.#bySubscriber.get(subscriber) ?? 0
    if (this.#counted >= this.#limits.connections) return 'connection-limit'
    if (known >= this.#limits.perAddress) return 'address-limit'
    this.#bySubscriber.set(subscriber, known + 1)
    this.#counted++
    return undefined
  }

  /** @param wasExempt when it came */
  leave(address: string, wasExempt: boolean): void {
    if (wasExempt) {
      this.#exempt--
      return
    }
    const subscriber = subscriberOf(address)
    const left = (this.#bySubscriber.get(subscriber) ?? 0) - 1
    if (left > 0) this.#bySubscriber.set(subscriber, left)
    else this.#bySubscriber.delete(subscriber)
    this.#counted--
  }
}

/** Of an address as the system writes it (RFC 5952). */
function subscriberOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}

const groupsOf = (text: string): string[] => text.split(':').filter((group) => group !== '')
