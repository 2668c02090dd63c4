import { describe, expect, it } from 'vitest'
import { Challenges } from '../../src/domain/challenges.ts'

const px1 = { pool: 'default', proxy: 'px1' }

describe('a challenge', () => {
  it('is remembered by Call-ID and From tag, for its pool', () => {
    const challenges = new Challenges()
    challenges.note('call', 'alice', px1, 0)
    expect(challenges.find('call', 'alice', 'default', 1)).toBe('px1')
    expect(challenges.find('call', 'bob', 'default', 1)).toBeUndefined()
    expect(challenges.find('other', 'alice', 'default', 1)).toBeUndefined()
    expect(challenges.find('call', 'alice', 'other', 1)).toBeUndefined()
  })

  it('is the last one that was made', () => {
    const challenges = new Challenges()
    challenges.note('call', 'alice', px1, 0)
    challenges.note('call', 'alice', { ...px1, proxy: 'px2' }, 1)
    expect(challenges.find('call', 'alice', 'default', 2)).toBe('px2')
  })

  it('counts for a minute', () => {
    const challenges = new Challenges()
    challenges.note('call', 'alice', px1, 0)
    expect(challenges.find('call', 'alice', 'default', 59_999)).toBe('px1')
    expect(challenges.find('call', 'alice', 'default', 60_000)).toBeUndefined()
  })

  it('gives way to newer ones where there are very many', () => {
    const challenges = new Challenges()
    for (let i = 0; i <= 100_000; i++) challenges.note(`call ${i}`, 'alice', px1, 0)
    const found = ['call 0', 'call 1', 'call 100000'].map((call) => challenges.find(call, 'alice', 'default', 1))
    expect(found).toEqual([undefined, 'px1', 'px1'])
  })
})
