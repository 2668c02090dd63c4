import { describe, expect, it } from 'vitest'
import { levelNow, noResponseLevel, observeLevel, raised, type ResponseLevel } from '../src/signals/response-level.ts'

const after = (...values: number[]): ResponseLevel =>
  values.reduce((level, value, i) => observeLevel(level, value, i * 1000, 3000), noResponseLevel)

describe('the level of a response time', () => {
  it('is not known before the fourth value', () => {
    expect(levelNow(after(10, 10, 10))).toBeUndefined()
    expect(levelNow(after(10, 10, 10, 10))).toEqual({ typicalMs: 10, lastingMs: 10, crestMs: 10 })
  })

  it('does not see one slow value at all', () => {
    expect(levelNow(after(10, 10, 10, 900, 10, 10))).toEqual({ typicalMs: 10, lastingMs: 10, crestMs: 10 })
  })

  it('rises with the second slow value of three, but is not lasting before the fourth', () => {
    expect(levelNow(after(10, 10, 10, 900, 900))).toMatchObject({ typicalMs: 900, lastingMs: 10 })
    expect(levelNow(after(10, 10, 10, 900, 900, 900))).toMatchObject({ typicalMs: 900, lastingMs: 10 })
    expect(levelNow(after(10, 10, 900, 900, 900, 900))).toMatchObject({ typicalMs: 900, lastingMs: 900 })
  })

  it('keeps a crest of what was usual on the slow side', () => {
    expect(levelNow(after(10, 30, 12, 25, 11, 10))?.crestMs).toBe(25)
  })

  it('can be raised by who knows that it is at least so slow', () => {
    expect(levelNow(raised(after(10, 10, 10), 700, 4000))).toMatchObject({ typicalMs: 700, lastingMs: 700 })
  })
})
