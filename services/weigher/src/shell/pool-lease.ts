import type { Table } from '@siplb/bus'
import type { Lease } from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import { EXPIRY_MS, mayClaim, type LeaseView } from '../domain/lease-rule.ts'
import { inTime } from './deadline.ts'

export interface PoolLeaseOptions {
  readonly pool: string
  readonly self: string
  readonly table: Table<Lease>
  /** The highest epoch of the pool that anybody is known to have used. */
  readonly highestEpoch: () => number
  readonly now: () => number
  readonly log: Logger
}

interface Held {
  readonly epoch: number
  readonly beat: number
  readonly since: number
  readonly renewedAt: number
}

export const leaseKey = 'weigher.'
const RENEW_EVERY_MS = 1000
/** A pool is not handed on sooner, lest two replicas that see each other differently throw it to and fro. */
const LEAST_HELD_MS = 5000

/**
 * The lease of one pool: who may write its table.
 *
 * W1. It is taken, renewed and given up by compare-and-set; whoever loses it knows that it is not the holder.
 * W2. Each taking raises the epoch over every one that was ever heard of, so no two tables share `(epoch, seq)`.
 * W3. A holder that could not renew for 3 s stops writing, since another may have begun.
 */
export class PoolLease {
  readonly #options: PoolLeaseOptions
  #view: LeaseView
  #revision: number | undefined
  #held: Held | undefined
  /** What is being written; one thing at a time, or two writes would take each other for somebody else's. */
  #work: Promise<void> | undefined

  constructor(options: PoolLeaseOptions) {
    this.#options = options
    this.#view = { lease: undefined, seenAt: options.now() }
  }

  /** The epoch under which this replica may write now; undefined when it may not. */
  epoch(): number | undefined {
    const held = this.#held
    return held !== undefined && this.#options.now() - held.renewedAt < EXPIRY_MS ? held.epoch : undefined
  }

  /** Somebody else wrote the table: the lease is to be looked at before the next word. */
  doubt(): void {
    if (this.#held !== undefined) this.#held = { ...this.#held, renewedAt: Number.NEGATIVE_INFINITY }
  }

  /** The bus is back: nobody could have been heard meanwhile. */
  waitAnew(): void {
    this.#view = { ...this.#view, seenAt: this.#options.now() }
  }

  heard(lease: Lease | undefined, revision: number): void {
    // Our own word comes back, perhaps after a newer one.
    if (this.#held !== undefined && this.#isOurs(lease, this.#held)) return
    if (this.#held !== undefined) this.#lose(lease)
    if (this.#revision !== revision) this.#view = { lease, seenAt: this.#options.now() }
    this.#revision = lease === undefined ? undefined : revision
  }

  /** Does what is to be done now, unless something is still being done. `isMeant`: this replica is the one to write the pool. */
  look(now: number, isMeant: boolean, mayBegin: boolean): Promise<void> | undefined {
    if (this.#work !== undefined) return undefined
    const work = this.#dutyAt(now, isMeant, mayBegin)?.()
    if (work === undefined) return undefined
    this.#work = work.finally(() => (this.#work = undefined))
    return this.#work
  }

  /** Gives it up, when it is held, so that another replica goes on at once. */
  async leave(): Promise<void> {
    await this.#work?.catch(() => {})
    await this.#release()
  }

  #dutyAt(now: number, isMeant: boolean, mayBegin: boolean): (() => Promise<void>) | undefined {
    const held = this.#held
    if (held === undefined) return mayBegin && mayClaim(this.#view, isMeant, now) ? () => this.#claim(now) : undefined
    if (!isMeant && now - held.since >= LEAST_HELD_MS) return () => this.#release()
    // Readers know a later epoch than we do: they would not believe ours.
    if (this.#options.highestEpoch() > held.epoch) return () => this.#claim(now)
    return now - held.renewedAt >= RENEW_EVERY_MS ? () => this.#renew(held, now) : undefined
  }

  async #claim(now: number): Promise<void> {
    const { pool, self, highestEpoch, log } = this.#options
    const epoch = 1 + Math.max(this.#view.lease?.epoch ?? 0, this.#held?.epoch ?? 0, highestEpoch())
    this.#held = undefined
    if (!(await this.#write({ holder: self, epoch, beat: 0 }))) return
    this.#held = { epoch, beat: 0, since: now, renewedAt: now }
    log.info({ poolId: pool, epoch }, 'writing the weights of a pool')
  }

  async #renew(held: Held, now: number): Promise<void> {
    const beat = held.beat + 1
    if (await this.#write({ holder: this.#options.self, epoch: held.epoch, beat })) {
      this.#held = { ...held, beat, renewedAt: now }
      return
    }
    // A renewal whose answer was lost is ours all the same; the next one follows at once.
    const { lease } = this.#view
    if (!this.#isOurs(lease, held)) this.#lose(lease)
  }

  async #release(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    const { pool, self, log } = this.#options
    await this.#write({ holder: self, epoch: held.epoch, beat: held.beat + 1, released: true })
    log.info({ poolId: pool }, 'lease of a pool given up')
  }

  #lose(lease: Lease | undefined): void {
    this.#held = undefined
    const { pool, log } = this.#options
    log.warn({ poolId: pool, holder: lease?.holder }, 'another weigher writes the pool, or the store was lost')
  }

  #isOurs(lease: Lease | undefined, { epoch }: Held): boolean {
    return lease?.holder === this.#options.self && lease.epoch === epoch && lease.released !== true
  }

  /** By compare-and-set; when that is lost, what is there now is known afterwards. */
  async #write(value: Lease): Promise<boolean> {
    const { table, pool, now } = this.#options
    const key = leaseKey + pool
    const write = this.#revision === undefined ? table.create(key, value) : table.update(key, value, this.#revision)
    const written = await inTime(write)
    if (written !== 'conflict') {
      this.#revision = written
      this.#view = { lease: value, seenAt: now() }
      return true
    }
    const found = await inTime(table.get(key))
    this.#revision = found?.revision
    this.#view = { lease: found?.value, seenAt: now() }
    return false
  }
}
