import { describe, expect, it } from 'vitest'
import { RecentIds } from '../../src/domain/recent-ids.ts'

describe('recent ids', () => {
  it('know a repetition', () => {
    const ids = new RecentIds()
    expect([ids.add('a'), ids.add('b'), ids.add('a')]).toEqual([true, true, false])
  })

  it('remember at least one generation, and not for ever', () => {
    const ids = new RecentIds(3)
    for (const id of ['a', 'b', 'c', 'd']) ids.add(id)
    expect(ids.add('a')).toBe(false)
    for (const id of ['e', 'f', 'g', 'h']) ids.add(id)
    expect(ids.add('a')).toBe(true)
  })
})
