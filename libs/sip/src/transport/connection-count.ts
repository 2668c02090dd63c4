import type { StreamLimits } from './stream.ts'

/** How many connections there are, in all and from each address. */
export class ConnectionCount {
  readonly #limits: Pick<StreamLimits, 'connections' | 'perAddress'>
  readonly #byAddress = new Map<string, number>()
  #size = 0

  constructor(limits: Pick<StreamLimits, 'connections' | 'perAddress'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  /** Counts one more from this address, or says which limit forbids it. */
  enter(address: string, isExempt: boolean): 'connection-limit' | 'address-limit' | undefined {
    const known = this.#byAddress.get(address) ?? 0
    if (this.#size >= this.#limits.connections) return 'connection-limit'
    if (!isExempt && known >= this.#limits.perAddress) return 'address-limit'
    this.#byAddress.set(address, known + 1)
    this.#size++
    return undefined
  }

  leave(address: string): void {
    const left = (this.#byAddress.get(address) ?? 0) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
    this.#size--
  }
}
