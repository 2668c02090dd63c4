import type { Outcomes } from '@siplb/contracts'
import type { Signal } from './signals.ts'

/** One lost probe alone says nothing. */
const LOST_IN_ROW = 2
const WINDOW_MS = 2000
const FEWEST_FAULTS = 2

interface Ends {
  readonly at: number
  readonly ended: number
  readonly faults: number
}

interface View {
  lostInRow: number
  ends: Ends[]
}

/**
 * Which proxies failed at a moment, by the bare signals and not by anybody's settings, so that two settings can be held against it:
 * probes in a row were lost, refused or answered 5xx, or half of the requests that ended of late failed. Timeouts are left out,
 * since they tell of requests of half a minute before.
 */
export class Failing {
  readonly #views = new Map<string, View>()

  hear(signal: Signal): void {
    if (signal.kind === 'probe') this.#probed(signal.data)
    if (signal.kind === 'traffic') {
      for (const { proxy, outcomes } of signal.data.proxies) this.#ended(this.#view(proxy), outcomes, signal.at)
    }
  }

  has(proxy: string): boolean {
    const view = this.#views.get(proxy)
    if (view === undefined) return false
    if (view.lostInRow >= LOST_IN_ROW) return true
    const ended = view.ends.reduce((sum, one) => sum + one.ended, 0)
    const faults = view.ends.reduce((sum, one) => sum + one.faults, 0)
    return faults >= FEWEST_FAULTS && 2 * faults >= ended
  }

  #probed({ proxy, outcome, status, doubtful }: Extract<Signal, { kind: 'probe' }>['data']): void {
    const view = this.#view(proxy)
    const isFault = status === 500 || status === 503 || status === 504
    if (outcome === 'answered' && !isFault) view.lostInRow = 0
    else if (!doubtful) view.lostInRow += outcome === 'refused' ? LOST_IN_ROW : 1
  }

  #ended(view: View, outcomes: Outcomes, at: number): void {
    const { unavailable, serverError, transportError, timeout: _, ...well } = outcomes
    const faults = unavailable + serverError + transportError
    const ended = faults + Object.values(well).reduce((sum, count) => sum + count, 0)
    view.ends = [...view.ends.filter((one) => at - one.at < WINDOW_MS), ...(ended === 0 ? [] : [{ at, ended, faults }])]
  }

  #view(proxy: string): View {
    let view = this.#views.get(proxy)
    if (view === undefined) {
      view = { lostInRow: 0, ends: [] }
      this.#views.set(proxy, view)
    }
    return view
  }
}
