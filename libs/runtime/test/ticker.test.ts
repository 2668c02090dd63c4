import { setTimeout as sleep } from 'node:timers/promises'
import { createTicker, nowMs, type Ticker } from '@siplb/runtime'
import { waitFor } from '@siplb/testkit'
import { afterEach, describe, expect, it } from 'vitest'

interface Tick {
  readonly now: number
  readonly lateMs: number
}

/** Timers count whole milliseconds, at both ends: so much may one come before its time. */
const EARLY_MS = 3

let ticker: Ticker | undefined

afterEach(() => ticker?.stop?.())

/** Started; `run` is what each tick does beside being noted. */
function ticking(everyMs: number, run: (tick: number) => Promise<void> | void = () => {}, nextAt = () => 0) {
  const ticks: Tick[] = []
  const errors: unknown[] = []
  ticker = createTicker({
    name: 'beat',
    everyMs,
    nextAt,
    run: (now, lateMs) => run(ticks.push({ now, lateMs })),
    onError: (error) => void errors.push(error),
  })
  const since = nowMs()
  void ticker.start?.()
  return { ticks, errors, since }
}

function block(ms: number): void {
  for (const end = nowMs() + ms; nowMs() < end;);
}

describe('a ticker', () => {
  it('comes first after one interval, and then at a steady rate however long its runs take', async () => {
    const { ticks, since } = ticking(20, () => block(8))
    await waitFor(() => ticks.length >= 15, 5000)
    expect((ticks[0]?.now ?? 0) - since).toBeGreaterThan(20 - EARLY_MS)
    const dueAt = ticks.map(({ now, lateMs }) => now - lateMs)
    ticks.forEach(({ lateMs }, i) => {
      expect(lateMs).toBeGreaterThanOrEqual(0)
      const toNext = (dueAt[i + 1] ?? NaN) - (dueAt[i] ?? NaN)
      if (lateMs < 10 && i + 1 < ticks.length) expect(Math.abs(toNext - 20)).toBeLessThan(EARLY_MS)
    })
  })

  it('never runs twice at once: a slow run makes the next one late', async () => {
    let running = 0
    let most = 0
    const { ticks } = ticking(10, async () => {
      most = Math.max(most, ++running)
      await sleep(35)
      running -= 1
    })
    await waitFor(() => ticks.length >= 5, 5000)
    expect(most).toBe(1)
    ticks.slice(1).forEach(({ now }, i) => expect(now - (ticks[i]?.now ?? 0)).toBeGreaterThanOrEqual(33))
  })

  it('tells how late it is when the event loop was busy', async () => {
    const { ticks } = ticking(100)
    await waitFor(() => ticks.length >= 1, 2000)
    const before = ticks.length
    block(250)
    await waitFor(() => ticks.length > before, 2000)
    expect(ticks[before]?.lateMs).toBeGreaterThan(100)
  })

  it('does not make up for what it missed', async () => {
    const { ticks } = ticking(20)
    await waitFor(() => ticks.length >= 1, 2000)
    const before = ticks.length
    block(300)
    const since = nowMs()
    await waitFor(() => ticks.length >= before + 5, 2000)
    // The late one at once and the next with it; then they are an interval apart again.
    expect((ticks[before + 4]?.now ?? 0) - since).toBeGreaterThan(3 * 20 - EARLY_MS)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('not this time')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('not this time'))],
  ])('goes on after a run that %s, and hands on the error', async (_, fail) => {
    const { ticks, errors } = ticking(10, (tick) => (tick === 2 ? fail() : undefined))
    await waitFor(() => ticks.length >= 4, 2000)
    expect(errors).toEqual([new Error('not this time')])
  })

  it('sleeps until there is something to do, and comes no earlier', async () => {
    let nextAt = 0
    const planned: number[] = []
    const { ticks } = ticking(
      10,
      () => void planned.push((nextAt = nowMs() + 40)),
      () => nextAt,
    )
    await waitFor(() => ticks.length >= 13, 5000)
    const isEarly = ticks.slice(1).map(({ now }, i) => now < (planned[i] ?? NaN))
    // Where the machine takes its time between two lines, the clock of the event loop is behind ours.
    expect(isEarly.filter(Boolean).length).toBeLessThan(6)
  })

  it('keeps its interval while what is to be done is long overdue', async () => {
    const { ticks } = ticking(20, undefined, () => -Infinity)
    await waitFor(() => ticks.length >= 5, 5000)
    const dueAt = ticks.map(({ now, lateMs }) => now - lateMs)
    expect((dueAt[4] ?? 0) - (dueAt[0] ?? 0)).toBeGreaterThan(4 * 20 - EARLY_MS)
  })

  it('is woken within one interval, which is not taken for lateness', async () => {
    const { ticks } = ticking(50, undefined, () => nowMs() + 60_000)
    await sleep(100)
    expect(ticks).toEqual([])
    const since = nowMs()
    ticker?.wake()
    const until = nowMs()
    ticker?.wake()
    const { now, lateMs } = await waitFor(() => ticks[0], 2000)
    expect(now - since).toBeGreaterThan(50 - EARLY_MS)
    expect(now - lateMs - until).toBeLessThanOrEqual(50)
    await sleep(100)
    expect(ticks).toHaveLength(1)
  })

  it('that is awake is not put off by being woken', async () => {
    const { ticks } = ticking(50)
    const waking = setInterval(() => ticker?.wake(), 10)
    await waitFor(() => ticks.length >= 3, 2000).finally(() => clearInterval(waking))
  })

  it('is not woken once it is stopped', async () => {
    const { ticks } = ticking(10, undefined, () => nowMs() + 60_000)
    await ticker?.stop?.()
    ticker?.wake()
    await sleep(50)
    expect(ticks).toEqual([])
  })

  it('is silent once it is stopped, also out of its own run', async () => {
    const outside = ticking(10)
    await waitFor(() => outside.ticks.length >= 1, 2000)
    await ticker?.stop?.()
    const heard = outside.ticks.length
    const inside = ticking(10, async () => {
      await sleep(5)
      await ticker?.stop?.()
    })
    await sleep(100)
    expect(outside.ticks).toHaveLength(heard)
    expect(inside.ticks).toHaveLength(1)
  })
})
