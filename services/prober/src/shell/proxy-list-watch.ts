import type { Bus, Subscription } from '@siplb/bus'
import { proxiesTable } from '@siplb/contracts'
import type { Component } from '@siplb/runtime'
import type { ProbedProxy } from '../domain/probed-proxy.ts'
import { ProxyList } from '../domain/proxy-list.ts'

export interface ProxyListWatchOptions {
  readonly bus: Bus
  readonly declared: readonly ProbedProxy[]
  readonly now: () => number
}

/** The proxies of the installation as the store tells them. */
export class ProxyListWatch implements Component {
  readonly name = 'proxy-list'
  readonly #bus: Bus
  readonly #now: () => number
  readonly #list: ProxyList
  #watches: readonly Subscription[] = []

  constructor({ bus, declared, now }: ProxyListWatchOptions) {
    this.#bus = bus
    this.#now = now
    this.#list = new ProxyList(declared)
  }

  start(): void {
    const connection = this.#bus.onConnection((isConnected) => {
      if (isConnected) this.#list.restart()
    })
    const rows = this.#bus.table(proxiesTable, 'user').watch(
      (key, row) => this.#list.told(key, row, this.#now()),
      () => this.#list.caughtUp(),
    )
    this.#watches = [connection, rows]
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop()
  }

  /** The file was changed. */
  declare(declared: readonly ProbedProxy[]): void {
    this.#list.declare(declared)
  }

  /** The same map until something changed. */
  at(now: number): ReadonlyMap<string, ProbedProxy> {
    return this.#list.at(now)
  }
}
