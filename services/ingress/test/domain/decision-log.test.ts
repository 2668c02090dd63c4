import { describe, expect, it } from 'vitest'
import { DecisionLog, type Decision } from '../../src/domain/decision-log.ts'

const hashOf = (callId: string) => Buffer.from(callId).reduce((sum, octet) => (sum * 31 + octet) | 0, 0)
const newLog = (hash = hashOf) => new DecisionLog(hash)

function decided(callId: string, at: number, method = 'INVITE'): Decision {
  return { callId, method, at, source: 'location', pool: 'default', epoch: 1, seq: 1, candidates: [] }
}

const methods = (log: DecisionLog, callId: string, now = 0) => log.find(callId, now).map(({ method }) => method)

describe('the decision log', () => {
  it('gives the decisions of a call in their order', () => {
    const log = newLog()
    log.add(decided('a', 0))
    log.add(decided('b', 1))
    log.add(decided('a', 2, 'BYE'))
    expect(methods(log, 'a')).toEqual(['INVITE', 'BYE'])
    expect(methods(log, 'c')).toEqual([])
  })

  it('says how each attempt went', () => {
    const log = newLog()
    const one = log.add(decided('a', 0))
    expect(log.find('a', 0)[0]?.tried).toEqual([])
    one.triedAt('px1')
    one.triedAt('px2')
    one.triedAt('px3')
    one.endedAt('px1', 'unavailable')
    one.endedAt('px3', 'success')
    one.endedAt('px9', 'success')
    expect(log.find('a', 0)[0]?.tried).toEqual([
      { proxy: 'px1', outcome: 'unavailable' },
      { proxy: 'px2', outcome: 'waiting' },
      { proxy: 'px3', outcome: 'success' },
    ])
  })

  it('forgets after a minute', () => {
    const log = newLog()
    log.add(decided('a', 0))
    log.add(decided('b', 59_999))
    expect(methods(log, 'a', 59_999)).toEqual(['INVITE'])
    expect(methods(log, 'a', 60_000)).toEqual([])
    expect(methods(log, 'b', 60_000)).toEqual(['INVITE'])
  })

  it('forgets what a long call began with, and keeps what became of it in the last minute', () => {
    const log = newLog()
    log.add(decided('long', 0))
    log.add(decided('b', 1000))
    log.add(decided('long', 50_000, 'UPDATE'))
    log.add(decided('c', 70_000))
    expect(methods(log, 'b', 70_000)).toEqual([])
    expect(methods(log, 'long', 70_000)).toEqual(['UPDATE'])
  })

  it('keeps no more than a hundred thousand', () => {
    const log = newLog()
    for (let i = 0; i < 100_001; i++) log.add(decided(`call ${i}`, 0))
    expect([0, 1, 100_000].map((i) => log.find(`call ${i}`, 0).length)).toEqual([0, 1, 1])
  })

  it('tells calls apart whose names have the same hash', () => {
    const log = newLog((callId) => callId.length)
    for (let i = 0; i < 2000; i++) log.add(decided(`call ${i}`, i / 1000))
    for (let i = 0; i < 2000; i += 7)
      expect(log.find(`call ${i}`, 2).map(({ callId, at }) => [callId, at])).toEqual([[`call ${i}`, i / 1000]])
  })

  it('goes on when the ring was round', () => {
    const log = newLog()
    for (let i = 0; i < 250_000; i++) log.add(decided(`call ${i % 150_000}`, i))
    expect(log.find('call 99999', 250_000).map(({ at }) => at)).toEqual([249_999])
    expect(log.find('call 20000', 250_000).length).toBe(0)
  })

  it('tells of each its own circumstances, though many share them', () => {
    const log = newLog()
    const [first, second] = [decided('a', 0), { ...decided('a', 1), source: 'local', pool: 'other', seq: 2 } as const]
    for (const one of [first, first, second, first]) log.add(one)
    expect(log.find('a', 1)).toEqual([first, first, second, first].map((one) => ({ ...one, tried: [] })))
  })

  it('is not told any more how one went that it has forgotten, where another one stands now', () => {
    const log = newLog()
    const old = log.add(decided('old', 0))
    for (let i = 0; i < 3000; i++) log.add(decided(`call ${i}`, 100_000 + i * 100))
    const tried = () => Array.from({ length: 3000 }, (_, i) => log.find(`call ${i}`, 400_000)).flat()
    expect(tried().length).toBeGreaterThan(500)
    old.triedAt('px1')
    old.endedAt('px1', 'success')
    expect(tried().flatMap((one) => one.tried)).toEqual([])
  })
})
