import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { TimerWheel } from '../../src/shell/timer-wheel.ts'

/** A wheel with a clock that the test sets; only its ticks come from the system. */
class HandWheel {
  readonly errors: unknown[] = []
  now = 1000
  readonly wheel = new TimerWheel(
    () => this.now,
    (error) => this.errors.push(error),
  )

  /** Lets time pass, and the wheel notice. */
  async pass(ms: number): Promise<void> {
    this.now += ms
    await sleep(25)
  }
}

let hand = new HandWheel()
afterEach(() => {
  hand.wheel.stop()
  hand = new HandWheel()
})

const set = (ms: number, run: () => void) => void hand.wheel.set(ms, run)

describe('a timer of the wheel', () => {
  it('is due once, never before its time and within 20 ms after it', async () => {
    let runs = 0
    set(100, () => runs++)
    await hand.pass(99)
    expect(runs).toBe(0)
    await hand.pass(21)
    expect(runs).toBe(1)
    await hand.pass(60_000)
    expect(runs).toBe(1)
  })

  it('is due as well when time has jumped far over it', async () => {
    const order: string[] = []
    for (const ms of [500, 20, 100, 36_000, 32_000, 0, 33_000, 181_000]) set(ms, () => order.push(String(ms)))
    await hand.pass(3_600_000)
    expect(order).toEqual(['0', '20', '100', '500', '32000', '33000', '36000', '181000'])
  })

  const round = 4096 * 20

  it.each([round - 20, round - 1, round, round + 20, 3 * round - 1, 3 * round + 40])(
    'keeps its time over rounds of the wheel: %i ms',
    async (ms) => {
      let runs = 0
      set(ms, () => runs++)
      for (let left = ms - 1; left > 0; left -= round) await hand.pass(Math.min(left, round))
      expect(runs).toBe(0)
      await hand.pass(21)
      expect(runs).toBe(1)
    },
  )

  it('keeps its time to the slot for any length', async () => {
    const late: number[] = []
    const lengths = Array.from({ length: 10_000 }, (_, i) => i * 13)
    for (const ms of lengths) {
      const dueAt = hand.now + ms
      set(ms, () => late.push(hand.now - dueAt))
    }
    expect(hand.wheel.size).toBe(lengths.length)
    for (let i = 0; i < 50; i++) await hand.pass(8)
    expect(late.length).toBe(lengths.filter((ms) => ms <= 392).length)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...late)).toBeLessThanOrEqual(40)
    await hand.pass(31_000)
    expect(late.length).toBe(lengths.filter((ms) => ms < 31_400).length)
    await hand.pass(200_000)
    expect(late.length).toBe(lengths.length)
    expect(hand.wheel.size).toBe(0)
  })

  it('is due from when it was set, though the wheel stood still for long before', async () => {
    await hand.pass(10_000_000)
    let runs = 0
    set(50, () => runs++)
    await hand.pass(49)
    expect(runs).toBe(0)
    await hand.pass(21)
    expect(runs).toBe(1)
  })
})

describe('of several timers one', () => {
  it('is not due before its time though the wheel stood still for a minute before', async () => {
    set(100_000, () => {})
    hand.now += 60_000
    let runs = 0
    set(32_000, () => runs++)
    await hand.pass(31_999)
    expect(runs).toBe(0)
    await hand.pass(21)
    expect(runs).toBe(1)
  })
})

describe('cancelling', () => {
  it('takes a timer away, and again does nothing', async () => {
    let runs = 0
    const timer = hand.wheel.set(10, () => runs++)
    timer.cancel()
    timer.cancel()
    expect(hand.wheel.size).toBe(0)
    await hand.pass(100)
    expect(runs).toBe(0)
  })

  it('works from within the run of another timer of the same slot, whichever stands first', async () => {
    const order: string[] = []
    const timers = new Map<string, { cancel(): void }>()
    const cancelOthers = (own: string) => {
      order.push(own)
      for (const [name, timer] of timers) if (name !== own) timer.cancel()
    }
    for (const name of ['a', 'b', 'c', 'd'])
      timers.set(
        name,
        hand.wheel.set(10, () => cancelOthers(name)),
      )
    await hand.pass(100)
    expect(order).toHaveLength(1)
    expect(hand.wheel.size).toBe(0)
  })

  it('of the next in line, from within a run, leaves those behind it', async () => {
    const ran: number[] = []
    const timers = Array.from({ length: 7 }, (_, i) =>
      hand.wheel.set(10, () => {
        if (ran.length === 0) for (const other of [i - 1, i + 1]) timers[other]?.cancel()
        ran.push(i)
      }),
    )
    await hand.pass(100)
    expect(ran).toHaveLength(6)
    expect(hand.wheel.size).toBe(0)
  })

  it('of the neighbours leaves the others of the slot in place', async () => {
    const ran: number[] = []
    const timers = Array.from({ length: 6 }, (_, i) => hand.wheel.set(10, () => ran.push(i)))
    for (const i of [0, 3, 5]) timers[i]?.cancel()
    await hand.pass(100)
    expect(ran.toSorted((a, b) => a - b)).toEqual([1, 2, 4])
  })

  it('after its own run does nothing to those that have its place now', async () => {
    let runs = 0
    const first = hand.wheel.set(8, () => runs++)
    await hand.pass(20)
    hand.wheel.set(8, () => runs++)
    first.cancel()
    expect(hand.wheel.size).toBe(1)
    await hand.pass(20)
    expect(runs).toBe(2)
  })

  it('after the wheel was stopped leaves nothing odd behind', async () => {
    let runs = 0
    const [a, b] = [hand.wheel.set(10, () => runs++), hand.wheel.set(10, () => runs++)]
    hand.wheel.stop()
    a.cancel()
    b.cancel()
    expect(hand.wheel.size).toBe(0)
    await hand.pass(100)
    expect(runs).toBe(0)
  })
})

describe('a wheel whose tick came late', () => {
  it('says for half a second that the process was held up', async () => {
    hand.wheel.set(10_000, () => {})
    await hand.pass(8)
    expect(hand.wheel.isLate).toBe(false)
    await hand.pass(200)
    expect(hand.wheel.isLate).toBe(true)
    hand.now += 499
    expect(hand.wheel.isLate).toBe(true)
    hand.now += 1
    expect(hand.wheel.isLate).toBe(false)
  })
})

describe('a run', () => {
  it('may set timers, also the only one', async () => {
    const order: string[] = []
    hand.wheel.set(10, () => {
      order.push('first')
      hand.wheel.set(10, () => order.push('second'))
    })
    await hand.pass(24)
    expect(order).toEqual(['first'])
    await hand.pass(24)
    expect(order).toEqual(['first', 'second'])
  })

  it('that throws is told of, and the others are run all the same', async () => {
    let runs = 0
    const problem = new Error('broken')
    hand.wheel.set(10, () => runs++)
    hand.wheel.set(10, () => {
      throw problem
    })
    hand.wheel.set(20, () => runs++)
    await hand.pass(100)
    expect([runs, hand.errors]).toEqual([2, [problem]])
  })
})
