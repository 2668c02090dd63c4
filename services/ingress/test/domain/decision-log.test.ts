import { describe, expect, it } from 'vitest'
import { DecisionLog, type Decided } from '../../src/domain/decision-log.ts'

function decided(callId: string, at: number, method = 'INVITE'): Decided {
  const pool = { pool: 'default', epoch: 1, seq: 1 }
  return { callId, method, at, source: 'location', ...pool, candidates: [], tried: [] }
}

const methods = (log: DecisionLog, callId: string) => log.find(callId).map(({ method }) => method)

describe('the decision log', () => {
  it('gives the decisions of a call in their order', () => {
    const log = new DecisionLog()
    log.add(decided('a', 0))
    log.add(decided('b', 1))
    log.add(decided('a', 2, 'BYE'))
    expect(methods(log, 'a')).toEqual(['INVITE', 'BYE'])
    expect(methods(log, 'c')).toEqual([])
  })

  it('says how each attempt went', () => {
    const log = new DecisionLog()
    const one = decided('a', 0)
    log.add(one)
    log.tried(one, 'px1')
    log.tried(one, 'px2')
    log.ended(one, 'px1', 'unavailable')
    log.ended(one, 'px9', 'success')
    expect(log.find('a')[0]?.tried).toEqual([
      { proxy: 'px1', outcome: 'unavailable' },
      { proxy: 'px2', outcome: 'waiting' },
    ])
  })

  it('forgets after a minute', () => {
    const log = new DecisionLog()
    log.add(decided('a', 0))
    log.add(decided('b', 59_999))
    expect(methods(log, 'a')).toEqual(['INVITE'])
    log.add(decided('c', 60_000))
    expect(methods(log, 'a')).toEqual([])
    expect(methods(log, 'b')).toEqual(['INVITE'])
  })

  it('forgets others also while one long call goes on', () => {
    const log = new DecisionLog()
    log.add(decided('long', 0))
    log.add(decided('b', 1000))
    log.add(decided('long', 50_000, 'UPDATE'))
    log.add(decided('c', 70_000))
    expect(methods(log, 'b')).toEqual([])
    expect(methods(log, 'long')).toEqual(['INVITE', 'UPDATE'])
  })

  it('keeps no more than a hundred thousand', () => {
    const log = new DecisionLog()
    for (let i = 0; i < 100_001; i++) log.add(decided(`call ${i}`, 0))
    expect([log.find('call 0').length, log.find('call 1').length, log.find('call 100000').length]).toEqual([0, 1, 1])
  })
})
