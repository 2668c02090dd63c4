import { load, type Load } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { loadAt, observeLoad, type LoadSignal } from '../src/signals/load-signal.ts'

const report = (value: number, more: Partial<Load> = {}) => load.parse({ proxy: 'px1', load: value, ...more })
const none: LoadSignal = new Map()

describe('the load of a proxy', () => {
  it('takes the first figure whole and then an average', () => {
    const first = observeLoad(none, report(0.8), 0, 1000)
    expect(loadAt(first, 0)).toBe(0.8)
    expect(loadAt(observeLoad(first, report(0), 1000, 1000), 1000)).toBeCloseTo(0.8 / Math.E, 5)
  })

  it('is not believed for longer than it says', () => {
    const signal = observeLoad(none, report(0.8, { expiresInMs: 500 }), 0, 1000)
    expect(loadAt(signal, 499)).toBe(0.8)
    expect(loadAt(signal, 500)).toBeUndefined()
  })

  it('takes the first figure after an expiry whole again', () => {
    const old = observeLoad(none, report(1, { expiresInMs: 500 }), 0, 60_000)
    expect(loadAt(observeLoad(old, report(0.2), 700, 60_000), 700)).toBe(0.2)
  })

  it('is the highest that any source says', () => {
    const signal = observeLoad(
      observeLoad(none, report(0.3, { source: 'header' }), 0, 1000),
      report(0.9, { source: 'rpc' }),
      0,
      1000,
    )
    expect(loadAt(signal, 0)).toBe(0.9)
  })

  it('ignores a figure that was overtaken by a newer one', () => {
    const signal = observeLoad(none, report(0.3), 1000, 1000)
    expect(observeLoad(signal, report(0.9, { ageMs: 500 }), 1200, 1000)).toBe(signal)
  })

  it('remembers a bounded number of sources', () => {
    let signal = none
    for (let i = 0; i < 100; i++) signal = observeLoad(signal, report(0.1, { source: `s${i}` }), i, 1000)
    expect(signal.size).toBe(16)
  })
})
