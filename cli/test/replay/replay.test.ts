import { config } from '@siplb/contracts'
import type { Settings } from '@siplb/weighing'
import { describe, expect, it } from 'vitest'
import { replay } from '../../src/replay/replay.ts'
import type { Signal } from '../../src/replay/signals.ts'
import { loaded, probe, recordOf, traffic } from './signals-under-test.ts'

const { weights } = config.parse({ pools: { default: { proxies: [{ id: 'a', uri: 'sip:a.example.com' }] } } })
const inForce: Settings = { weights, probeIntervalMs: 1000, policy: 'weighted-random', strict: false }
const early: Settings = { ...inForce, weights: { ...weights, loadTarget: 0.3 } }
const records = [recordOf('px1'), recordOf('px2')]
const START = 1_790_000_000_000

async function* told(signals: readonly Signal[]): AsyncGenerator<Signal> {
  for (const signal of signals) yield await Promise.resolve(signal)
}

/** Both proxies answer probes every second and take 10 requests each quarter of a second. */
function calm(from: number, seconds: number): Signal[] {
  return Array.from({ length: seconds * 4 }, (_, i) => {
    const at = from + i * 250
    const both = traffic(at, { px1: { requests: 10 }, px2: { requests: 10 } })
    return i % 4 === 0 ? [probe(at, 'px1'), probe(at, 'px2'), both] : [both]
  }).flat()
}

const inOrder = (signals: readonly Signal[]) => signals.toSorted((a, b) => a.at - b.at)

function run(signals: readonly Signal[], settings: readonly Settings[], since = 0) {
  return replay(told(signals), { pool: 'default', records, settings, since })
}

describe('a replay', () => {
  it('weighs the same signals by each of the settings', async () => {
    const signals = inOrder([...calm(START, 30), loaded(START + 10_000, 'px1', 0.65)])
    const replayed = await run(signals, [inForce, early])
    expect(replayed).toMatchObject({ from: START, to: START + 29_750, events: signals.length, requests: 2400 })
    const [live, changed] = replayed?.runs ?? []
    expect(live?.proxies.map(({ meanWeight, lowestWeight }) => [meanWeight, lowestWeight])).toEqual([
      [100, 100],
      [100, 100],
    ])
    expect(live?.proxies.map(({ share, requests }) => [share, requests])).toEqual([
      [0.5, 1200],
      [0.5, 1200],
    ])
    const [px1, px2] = changed?.proxies ?? []
    // load 0.65 over a target of 0.3: 1 - 0.98 · 0.35 / 0.7
    expect(px1?.lowestWeight).toBeCloseTo(51, 0)
    expect(px1?.meanWeight).toBeGreaterThan(66)
    expect(px1?.meanWeight).toBeLessThan(70)
    expect(px1?.requests).toBeLessThan(1020)
    expect((px1?.requests ?? 0) + (px2?.requests ?? 0)).toBeCloseTo(2400, 6)
    expect(changed?.tables).toBeGreaterThan(live?.tables ?? 99)
  })

  it('gives the same figures each time, those that are picked one by one too', async () => {
    const signals = inOrder([...calm(START, 20), loaded(START + 5000, 'px1', 0.9)])
    const settings = [
      { ...inForce, policy: 'least-work' as const },
      { ...early, policy: 'two-choices' as const },
    ]
    expect(await run(signals, settings)).toEqual(await run(signals, settings))
  })

  it('tells how long a proxy had less than half, and its changes of state', async () => {
    const lost = Array.from({ length: 24 }, (_, i) => probe(START + 10_010 + i * 250, 'px1', { outcome: 'refused' }))
    const quiet = Array.from({ length: 60 }, (_, i) => traffic(START + i * 250, { px2: { requests: 10 } }))
    const others = Array.from({ length: 15 }, (_, i) => probe(START + i * 1000, 'px2'))
    const replayed = await run(inOrder([probe(START, 'px1'), ...others, ...quiet, ...lost]), [inForce])
    const [px1, px2] = replayed?.runs[0]?.proxies ?? []
    expect(px1).toMatchObject({ lowestWeight: 0, stateChanges: 2 })
    expect(px1?.belowHalfMs).toBeGreaterThan(5000)
    expect(px1?.belowHalfMs).toBeLessThan(5760)
    expect(px2).toMatchObject({ lowestWeight: 100, belowHalfMs: 0 })
  })

  it('counts the requests that would have gone to a proxy while it failed', async () => {
    // Every second quarter of a second, so that nothing fails eight times in a row.
    const slow = { ...inForce, weights: { ...weights, faultMinRequests: 5000, ejectionCap: 0 } }
    const failing = Array.from({ length: 40 }, (_, i) =>
      traffic(START + 10_000 + i * 250, {
        px1: { requests: 6, end: i % 2 === 0 ? 'unavailable' : 'success' },
        px2: { requests: 10 },
      }),
    )
    const replayed = await run([...calm(START, 10), ...failing], [inForce, slow])
    const [quick, late] = replayed?.runs ?? []
    expect(quick?.requestsWhileFailing).toBeGreaterThan(0)
    expect(quick?.requestsWhileFailing).toBeLessThan(late?.requestsWhileFailing ?? 0)
    expect(quick?.proxies[1]?.requestsWhileFailing).toBe(0)
  })

  it('begins with what was before, and does not count it', async () => {
    const signals = inOrder([loaded(START, 'px1', 0.65), ...calm(START, 60)])
    const replayed = await run(signals, [early], START + 30_000)
    expect(replayed?.from).toBe(START + 30_000)
    expect(replayed?.requests).toBe(2400)
    const px1 = replayed?.runs[0]?.proxies[0]
    expect(px1?.meanWeight).toBeCloseTo(px1?.lowestWeight ?? 0, 3)
    expect(px1?.meanWeight).toBeCloseTo(51, 0)
    expect(await run(signals, [early], START + 3_600_000)).toBeUndefined()
  })

  it('goes on where the clock of the stream jumps back', async () => {
    const replayed = await run([...calm(START, 5), ...calm(START - 60_000, 5), ...calm(START + 5000, 5)], [inForce])
    expect(replayed).toMatchObject({ from: START, to: START + 9750, requests: 1200 })
    expect(await run([...calm(START, 5), ...calm(START - 60_000, 5)], [inForce])).toMatchObject({ to: START + 4750 })
  })

  it('weighs at once what does not wait for the tick', async () => {
    const soon = [loaded(START + 9760, 'px1', 0.95), probe(START + 9900, 'px2')]
    const [px1] = (await run([...calm(START, 10), ...soon], [inForce]))?.runs[0]?.proxies ?? []
    expect(px1?.lowestWeight).toBe(50)
    const later = [loaded(START + 9860, 'px1', 0.95), probe(START + 9865, 'px2')]
    const [same] = (await run([...calm(START, 10), ...later], [inForce]))?.runs[0]?.proxies ?? []
    expect(same?.lowestWeight).toBe(100)
  })

  it('tells apart what had less than half from what had nothing', async () => {
    const signals = inOrder([...calm(START, 30), loaded(START + 10_000, 'px1', 0.8)])
    const [px1] = (await run(signals, [early]))?.runs[0]?.proxies ?? []
    expect(px1?.lowestWeight).toBeCloseTo(30, 0)
    expect(px1?.belowHalfMs).toBeGreaterThan(15_000)
    expect(px1?.belowHalfMs).toBeLessThan(19_750)
  })
})

describe('requests picked by work', () => {
  const sharesOf = async (policy: Settings['policy'], ms: number, strict = false) => {
    const busy = Array.from({ length: 80 }, (_, i) =>
      traffic(START + i * 250, { px1: { requests: 25, ms }, px2: { requests: 25, ms: 10 } }),
    )
    // The weights stay as they are, so that only the pick makes a difference.
    const level = { ...weights, responseTimeToleranceMs: 10_000 }
    const replayed = await run(busy, [{ ...inForce, weights: level, policy, strict }])
    return replayed?.runs[0]?.proxies.map(({ share }) => share) ?? []
  }

  it('go less to a proxy that answers late, the more so the more there is to choose from', async () => {
    const [four = 1] = await sharesOf('least-work', 200)
    const [two = 1] = await sharesOf('two-choices', 200)
    expect(four).toBeLessThan(0.2)
    expect(two).toBeLessThan(0.4)
    expect(four).toBeLessThan(two)
  })

  it('are those of the weights where all answer alike, and where the pool is strict', async () => {
    const [alike = 0] = await sharesOf('least-work', 10)
    expect(alike).toBeGreaterThan(0.45)
    expect(alike).toBeLessThan(0.55)
    expect(await sharesOf('least-work', 200, true)).toEqual([0.5, 0.5])
  })
})
