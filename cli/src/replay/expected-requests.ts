import type { Traffic, WeightTable } from '@siplb/contracts'
import { buildSnapshot, createChooser, draw, pickFreshest, type Snapshot } from '@siplb/routing'
import type { Signal } from './signals.ts'

/** So long an ingress waits for a proxy that says nothing, before it tries another. */
const SILENT_MS = 500
/** Of a proxy that nothing is known of. */
const UNKNOWN_MS = 10

/**
 * Where the requests of a report would have gone by a table. Drawn by weight alone, each proxy is expected to get its share. Where
 * the pick goes by work, requests are picked one by one, spread evenly over the interval, and each is work for as long as the
 * proxy's response time was measured then. That is an estimate: what a proxy would have answered under other load nobody knows.
 */
export class ExpectedRequests {
  readonly #chooser
  readonly #responseMs = new Map<string, number>()
  /** When what an ingress would have outstanding is answered, by proxy. */
  readonly #outstanding = new Map<string, Map<string, number[]>>()
  readonly #isFailing: (proxy: string) => boolean
  #table: WeightTable | undefined
  #snapshot: Snapshot | undefined

  constructor(random: () => number, isFailing: (proxy: string) => boolean) {
    this.#chooser = createChooser(random)
    this.#isFailing = isFailing
  }

  hear(signal: Signal): void {
    if (signal.kind === 'probe') {
      const { proxy, responseTimeMs } = signal.data
      if (responseTimeMs !== undefined && !this.#responseMs.has(proxy)) this.#responseMs.set(proxy, responseTimeMs)
    }
    if (signal.kind !== 'traffic') return
    for (const { proxy, responseTimes } of signal.data.proxies) {
      const sketches = Object.values(responseTimes)
      const count = sketches.reduce((sum, sketch) => sum + sketch.count, 0)
      if (count > 0) this.#responseMs.set(proxy, sketches.reduce((sum, { sumMs }) => sum + sumMs, 0) / count)
    }
  }

  of(report: Traffic, at: number, table: WeightTable): Map<string, number> {
    const requests = report.proxies.reduce((sum, one) => sum + one.requests, 0)
    const snapshot = this.#snapshotOf(table)
    if (requests === 0 || snapshot.isEmpty) return new Map()
    return isPickedByWork(table) ? this.#picked(snapshot, report, requests, at) : shared(snapshot, requests)
  }

  #snapshotOf(table: WeightTable): Snapshot {
    if (this.#snapshot === undefined || this.#table !== table) this.#snapshot = buildSnapshot(table)
    this.#table = table
    return this.#snapshot
  }

  #picked(snapshot: Snapshot, { ingress, intervalMs }: Traffic, requests: number, at: number): Map<string, number> {
    const outstanding = this.#outstanding.get(ingress) ?? new Map<string, number[]>()
    this.#outstanding.set(ingress, outstanding)
    const counts = new Map<string, number>()
    for (let i = 0; i < requests; i++) {
      const now = at - intervalMs + ((i + 0.5) / requests) * intervalMs
      const { candidates, pick } = draw(snapshot, this.#chooser)
      const proxy = pickFreshest(candidates, pick, (one) => countAfter(outstanding.get(one) ?? [], now))[0]?.proxy
      if (proxy === undefined) continue
      counts.set(proxy, (counts.get(proxy) ?? 0) + 1)
      const ends = outstanding.get(proxy)
      if (ends === undefined) outstanding.set(proxy, [now + this.#waitMs(proxy)])
      else ends.push(now + this.#waitMs(proxy))
    }
    return counts
  }

  #waitMs(proxy: string): number {
    return this.#isFailing(proxy) ? SILENT_MS : (this.#responseMs.get(proxy) ?? UNKNOWN_MS)
  }
}

/** How many end later; the others are taken out, in whatever order. */
function countAfter(ends: number[], now: number): number {
  for (let i = ends.length - 1; i >= 0; i--) {
    if ((ends[i] ?? now) > now) continue
    const last = ends.pop() ?? now
    if (i < ends.length) ends[i] = last
  }
  return ends.length
}

/** Whether shares by weight alone would not tell where requests go. */
export function isPickedByWork({ policy, strict }: Pick<WeightTable, 'policy' | 'strict'>): boolean {
  return !strict && (policy === 'least-work' || policy === 'two-choices')
}

function shared({ urn }: Snapshot, requests: number): Map<string, number> {
  const sum = urn.entries.reduce((total, { weight }) => total + weight, 0)
  return new Map(urn.entries.map(({ candidate, weight }) => [candidate.proxy, (requests * weight) / sum]))
}
