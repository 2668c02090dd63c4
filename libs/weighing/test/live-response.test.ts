import { SketchBuilder, type LatencySketch } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import {
  evidenceAt,
  noLiveResponse,
  observeLive,
  observeWaiting,
  type LiveResponse,
} from '../src/signals/live-response.ts'
import { levelNow } from '../src/signals/response-level.ts'

function sketchOf(...values: number[]): LatencySketch {
  const builder = new SketchBuilder()
  for (const value of values) builder.add(value)
  return builder.take()
}

/** One report every 250 ms, `count` requests of `ms` each. */
function told(
  reports: number,
  count: number,
  ms: number,
  prior: LiveResponse = noLiveResponse,
  from = 0,
  waitMs = 0,
): LiveResponse {
  let live = prior
  for (let i = 0; i < reports; i++)
    live = observeLive(live, sketchOf(...Array<number>(count).fill(ms)), waitMs, from + i * 250, 3000)
  return live
}

describe('the response time of real traffic', () => {
  it('waits for five requests and half a second before it takes a median', () => {
    expect(told(4, 1, 10).level.recent).toEqual([])
    expect(told(5, 1, 10).level.recent).toHaveLength(1)
    expect(told(2, 9, 10).level.recent).toHaveLength(1)
    expect(told(3, 9, 10).level.recent).toHaveLength(2)
  })

  it('is less what they waited for one another: a queue is not slowness', () => {
    expect(levelNow(told(40, 9, 100, noLiveResponse, 0, 80).level)?.typicalMs).toBeCloseTo(20, -1)
    // Never less than a tenth, whatever was reckoned.
    expect(levelNow(told(40, 9, 100, noLiveResponse, 0, 500).level)?.typicalMs).toBeCloseTo(10, 0)
  })

  it('is the median of all ingresses together, so few slow calls do not show', () => {
    const live = told(20, 6, 10)
    const withOutliers = observeLive(live, sketchOf(10, 10, 10, 10, 900, 900), 0, 5000, 3000)
    expect(levelNow(told(3, 6, 10, withOutliers, 5250).level)?.typicalMs).toBeCloseTo(10, 0)
  })

  it('rises within two and a half seconds of steady traffic becoming slow', () => {
    const slow = told(10, 5, 100, told(20, 5, 10), 5000)
    expect(levelNow(slow.level)?.lastingMs).toBeGreaterThan(90)
  })

  it('fades as evidence', () => {
    const live = told(4, 5, 10)
    expect(evidenceAt(live, 750)).toBeCloseTo(19.3, 1)
    expect(evidenceAt(live, 30_750)).toBeLessThan(2)
  })

  it('takes requests that get no answer for at least as slow as the wait', () => {
    const waiting = observeWaiting(told(20, 5, 10), 800, 7, 6000)
    expect(levelNow(waiting.level)?.lastingMs).toBe(800)
    expect(levelNow(observeWaiting(waiting, 500, 7, 6250).level)?.lastingMs).toBe(800)
  })
})
