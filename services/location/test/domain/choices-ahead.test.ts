import { choicesAhead, type Policy } from '@siplb/contracts'
import { buildSnapshot, createChooser } from '@siplb/routing'
import { describe, expect, it } from 'vitest'
import { atLength, drawAhead } from '../../src/domain/choices-ahead.ts'
import { tableOf } from '../tables.ts'

const aheadOf = (weights: Record<string, number>, policy: Policy, count = 10) =>
  drawAhead(buildSnapshot(tableOf(weights, { policy, epoch: 3, seq: 8 })), createChooser(Math.random), count, 1000)

describe('choices ahead', () => {
  it('are as many as asked for, with the table that they come from, and fit the contract in both forms', () => {
    const ahead = aheadOf({ px1: 10, px2: 20 }, 'least-work')
    const long = atLength(ahead)
    expect(choicesAhead.parse(ahead)).toEqual(ahead)
    expect(choicesAhead.parse(long)).toEqual(long)
    for (const one of [ahead, long])
      expect(one).toMatchObject({
        pool: 'default',
        epoch: 3,
        seq: 8,
        policy: 'least-work',
        pick: 'least-work',
        ttlMs: 1000,
      })
    expect(ahead.compact.indexes).toHaveLength(10)
    expect(long.choices).toHaveLength(10)
  })

  it('name each candidate once, and as a fallback once more', () => {
    const ahead = aheadOf({ px1: 10, px2: 20, px3: 30 }, 'least-work', 200)
    const names = ahead.compact.candidates.map(({ proxy, fallback }) => `${proxy} ${fallback === true}`)
    expect(names.toSorted()).toEqual(['1', '2', '3'].flatMap((n) => [`px${n} false`, `px${n} true`]))
    const { choices } = atLength(ahead)
    for (const candidates of choices) {
      const proxies = candidates.map(({ proxy }) => proxy)
      expect(proxies.toSorted()).toEqual(['px1', 'px2', 'px3'])
    }
  })

  it('go on with the round', () => {
    const { choices, pick } = atLength(aheadOf({ px1: 1, px2: 1 }, 'smooth-round-robin', 4))
    expect(choices.map(([first]) => first?.proxy)).toEqual(['px1', 'px2', 'px1', 'px2'])
    expect(pick).toBe('first')
  })

  it('are none by rendezvous, which needs the message', () => {
    const none = { candidates: [], indexes: [] }
    expect(aheadOf({ px1: 1 }, 'rendezvous')).toMatchObject({ policy: 'rendezvous', choices: [], compact: none })
  })

  it('are none when nobody can take a request', () => {
    expect(aheadOf({ px1: 0 }, 'least-work').compact.indexes).toEqual([])
  })
})
