import { lookup } from 'node:dns/promises'
import { createCaller, type Address, type Caller, type CallerStatistics } from '@siplb/testkit'

export interface CallersOptions {
  readonly to: Address
  readonly listen: Address | undefined
  readonly ratePerSecond: number
  readonly callMs: number
  /** Said once for each change of what the name stands for. */
  readonly say: (text: string) => void
}

/** What is counted of all callers together. */
export type CallTotals = Pick<CallerStatistics, 'started' | 'completed' | 'failed' | 'failures' | 'answeredBy'> & {
  readonly setupMs: { readonly p50: number; readonly p99: number }
}

/**
 * One caller for each address that the name of the balancer stands for; the rate is shared among them. The name is looked
 * up again every few seconds, for ever: containers come later, move, and are scaled.
 */
export class Callers {
  readonly #options: CallersOptions
  readonly #callers = new Map<string, Caller>()
  readonly #gone: Caller[] = []
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #said = ''

  constructor(options: CallersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const found = await this.#follow()
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.start(), found ? LOOK_EVERY_MS : RETRY_MS)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    for (const caller of [...this.#callers.values(), ...this.#gone]) await caller.close()
  }

  totals(): CallTotals {
    const all = [...this.#callers.values(), ...this.#gone].map((caller) => caller.statistics())
    const sum = (figure: (s: CallerStatistics) => number) => all.reduce((total, s) => total + figure(s), 0)
    return {
      started: sum((s) => s.started),
      completed: sum((s) => s.completed),
      failed: sum((s) => s.failed),
      failures: added(all.map((s) => s.failures)),
      answeredBy: added(all.map((s) => s.answeredBy)),
      setupMs: {
        p50: Math.max(0, ...all.map((s) => s.setupMs.p50)),
        p99: Math.max(0, ...all.map((s) => s.setupMs.p99)),
      },
    }
  }

  async #follow(): Promise<boolean> {
    const addresses = await this.#look()
    if (addresses.length === 0 || this.#isStopped) return this.#callers.size > 0
    for (const [address, caller] of this.#callers) {
      if (addresses.includes(address)) continue
      this.#callers.delete(address)
      this.#gone.push(caller)
      void caller.stop()
    }
    for (const address of addresses) {
      if (!this.#callers.has(address)) this.#callers.set(address, await this.#open(address))
    }
    for (const caller of this.#callers.values()) caller.start(this.#options.ratePerSecond / addresses.length)
    return true
  }

  #open(address: string): Promise<Caller> {
    const { listen, callMs, to } = this.#options
    const anywhere = address.includes(':') ? '::' : '0.0.0.0'
    const isHere = address === '::1' || address.startsWith('127.')
    return createCaller({
      target: { address, port: to.port },
      localAddress: listen?.address ?? (isHere ? address : anywhere),
      localPort: listen?.port ?? 0,
      callMs,
    })
  }

  async #look(): Promise<string[]> {
    const { address: name, port } = this.#options.to
    try {
      const found = await lookup(name, { all: true, family: 4 }).catch(() => lookup(name, { all: true }))
      const addresses = found.map(({ address }) => address).toSorted()
      this.#say(`calls ${name}:${port}${addresses.includes(name) ? '' : ` at ${addresses.join(', ')}`}`)
      return addresses
    } catch {
      this.#say(`${name} does not resolve yet; trying on`)
      return []
    }
  }

  #say(text: string): void {
    if (text !== this.#said) this.#options.say(text)
    this.#said = text
  }
}

const LOOK_EVERY_MS = 5000
const RETRY_MS = 1000

function added(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [key, n] of counts.flatMap((one) => Object.entries(one))) sums[key] = (sums[key] ?? 0) + n
  return sums
}
