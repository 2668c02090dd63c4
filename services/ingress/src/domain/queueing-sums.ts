import type { Queueing } from '@siplb/contracts'
import type { Ahead } from './work-ledger.ts'

type Sums = { -readonly [K in keyof Queueing]: number }

const nothing = (): Sums => ({
  samples: 0,
  ms: 0,
  ms2: 0,
  invites: 0,
  invites2: 0,
  others: 0,
  others2: 0,
  invitesOthers: 0,
  invitesMs: 0,
  othersMs: 0,
})

/** Gathers, of requests to one proxy by one method, how response times went with what was ahead: sums for a least-squares fit. */
export class QueueingSums {
  #sums = nothing()

  get samples(): number {
    return this.#sums.samples
  }

  add(ms: number, { invites, others }: Ahead): void {
    const sums = this.#sums
    sums.samples += 1
    sums.ms += ms
    sums.ms2 += ms * ms
    sums.invites += invites
    sums.invites2 += invites * invites
    sums.others += others
    sums.others2 += others * others
    sums.invitesOthers += invites * others
    sums.invitesMs += invites * ms
    sums.othersMs += others * ms
  }

  /** Hands the sums out and starts anew. */
  take(): Queueing {
    const sums = this.#sums
    this.#sums = nothing()
    return sums
  }
}
