import type { Balancer, Sent, World } from '../engine/world.ts'

/** Kamailio gives a proxy up after `fr_timer` without a final response, by default. */
const FR_TIMER_MS = 30_000

export abstract class Peer implements Balancer {
  abstract readonly name: string
  protected readonly world: World
  /** Known to be dead. */
  protected readonly out = new Set<string>()
  readonly #ids: readonly string[]

  constructor(world: World) {
    this.world = world
    this.#ids = world.proxies.map(({ id }) => id)
  }

  abstract choose(ingress: number): string[]

  silenceMs(): number {
    return FR_TIMER_MS
  }

  protected get ids(): readonly string[] {
    return this.#ids
  }

  /** This one, then the ones behind it; who is known to be dead is passed over. */
  protected from(i: number): string[] {
    const { ids, out } = this
    const turned = [...ids.slice(i), ...ids.slice(0, i)]
    return out.size === 0 ? turned : turned.filter((id) => !out.has(id))
  }
}

/** One after the other, weights or not, with no look at how they do: Kamailio's algorithm 4 without pings. */
export class RoundRobin extends Peer {
  readonly name: string = 'round robin'
  readonly #turns = new Map<number, number>()

  override choose(ingress: number): string[] {
    const turn = this.#turns.get(ingress) ?? 0
    this.#turns.set(ingress, turn + 1)
    return this.from(turn % this.ids.length)
  }
}

/** OpenSIPS' load_balancer and Kamailio's algorithm 10: who has the fewest calls. */
export class LeastCalls extends Peer {
  readonly name: string = 'least calls'
  readonly #calls = new Map<string, number>()

  override choose(): string[] {
    const { ids } = this
    const start = Math.floor(this.world.random() * ids.length)
    const turned = this.from(start)
    return turned.toSorted((a, b) => this.#count(a) - this.#count(b))
  }

  sent({ method, proxy }: Sent): void {
    if (method === 'INVITE') this.#calls.set(proxy, this.#count(proxy) + 1)
  }

  callEnded(proxy: string): void {
    this.#calls.set(proxy, this.#count(proxy) - 1)
  }

  #count(proxy: string): number {
    return this.#calls.get(proxy) ?? 0
  }
}

/** The bound: who has the least work in its queue for its true speed, seen at every choice. */
export class Oracle extends Peer {
  readonly name: string = 'least work, capacities known'

  override choose(): string[] {
    const { proxies } = this.world
    const start = Math.floor(this.world.random() * proxies.length)
    const turned = this.from(start)
    const waiting = (id: string) => {
      const { backlog, speed, workers } = this.world.proxy(id)
      return (backlog + 1) / (speed * workers)
    }
    return turned.toSorted((a, b) => waiting(a) - waiting(b))
  }
}
