import { choicesAhead, type Policy } from '@siplb/contracts'
import { buildSnapshot, createChooser } from '@siplb/routing'
import { describe, expect, it } from 'vitest'
import { choicesAheadOf } from '../../src/domain/choices-ahead.ts'
import { tableOf } from '../tables.ts'

const aheadOf = (weights: Record<string, number>, policy: Policy, count = 10) =>
  choicesAheadOf(buildSnapshot(tableOf(weights, { policy, epoch: 3, seq: 8 })), createChooser(Math.random), count, 1000)

describe('choices ahead', () => {
  it('are as many as asked for, with the table that they come from, and fit the contract', () => {
    const ahead = aheadOf({ px1: 10, px2: 20 }, 'least-work')
    expect(choicesAhead.parse(ahead)).toEqual(ahead)
    expect(ahead).toMatchObject({
      pool: 'default',
      epoch: 3,
      seq: 8,
      policy: 'least-work',
      pick: 'least-work',
      ttlMs: 1000,
    })
    expect(ahead.choices).toHaveLength(10)
  })

  it('go on with the round', () => {
    const { choices, pick } = aheadOf({ px1: 1, px2: 1 }, 'smooth-round-robin', 4)
    expect(choices.map(([first]) => first?.proxy)).toEqual(['px1', 'px2', 'px1', 'px2'])
    expect(pick).toBe('first')
  })

  it('are none by rendezvous, which needs the message', () => {
    expect(aheadOf({ px1: 1 }, 'rendezvous')).toMatchObject({ policy: 'rendezvous', choices: [] })
  })

  it('are none when nobody can take a request', () => {
    expect(aheadOf({ px1: 0 }, 'least-work').choices).toEqual([])
  })
})
