import { describe, expect, it } from 'vitest'
import { AwaitedAcks } from '../../src/domain/awaited-acks.ts'

describe('AwaitedAcks', () => {
  it('waits for the ACK of each call that was taken', () => {
    const acks = new AwaitedAcks()
    expect(acks.isEmpty(0)).toBe(true)
    acks.taken('one', 0)
    acks.taken('two', 0)
    acks.passed('one')
    expect(acks.isEmpty(10)).toBe(false)
    acks.passed('two')
    expect(acks.isEmpty(10)).toBe(true)
  })

  it('gives up one that does not come within three retransmissions of the 2xx', () => {
    const acks = new AwaitedAcks()
    acks.taken('one', 1000)
    expect(acks.isEmpty(4999)).toBe(false)
    expect(acks.isEmpty(5000)).toBe(true)
  })
})
