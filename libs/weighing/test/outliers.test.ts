import { describe, expect, it } from 'vitest'
import { toEject } from '../src/standing/outlier-ejection.ts'
import { panicOf } from '../src/standing/panic.ts'

const failing = (id: string, faultRate: number, witnesses = 2) => ({ id, faultRate, witnesses })

describe('ejection', () => {
  it('takes the worst first, and no more than half of the pool', () => {
    const pool = [failing('a', 0.6), failing('b', 1), failing('c', 0.9), failing('d', 0)]
    expect(toEject(pool, 0, 4, 0.5)).toEqual(['b', 'c'])
    expect(toEject(pool, 1, 4, 0.5)).toEqual(['b'])
    expect(toEject(pool, 2, 4, 0.5)).toEqual([])
  })

  it('asks for two witnesses', () => {
    expect(toEject([failing('a', 1, 1), failing('b', 0)], 0, 2, 0.5)).toEqual([])
  })

  it('never takes the only proxy', () => {
    expect(toEject([failing('a', 1)], 0, 1, 0.5)).toEqual([])
  })

  it('leaves alone who fails less than every second request', () => {
    expect(toEject([failing('a', 0.49), failing('b', 0)], 0, 2, 0.5)).toEqual([])
  })
})

describe('panic', () => {
  it.each([
    [{ usable: 4, down: 0, ejected: 0 }, 'none'],
    [{ usable: 1, down: 3, ejected: 0 }, 'none'],
    [{ usable: 2, down: 0, ejected: 2 }, 'none'],
    [{ usable: 1, down: 1, ejected: 2 }, 'ejected'],
    [{ usable: 0, down: 3, ejected: 1 }, 'ejected'],
    [{ usable: 0, down: 4, ejected: 0 }, 'all'],
    [{ usable: 0, down: 0, ejected: 0 }, 'none'],
  ] as const)('%o → %s', (counts, panic) => {
    expect(panicOf(counts, 0.5)).toBe(panic)
  })
})
