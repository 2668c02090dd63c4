import { describe, expect, it } from 'vitest'
import { Decided, DecisionLog } from '../../src/domain/decision-log.ts'

function decided(callId: string, at: number, method = 'INVITE'): Decided {
  const pool = { pool: 'default', epoch: 1, seq: 1 }
  return new Decided({ callId, method, at, source: 'location', ...pool, candidates: [] })
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
    expect(log.find('a')[0]?.tried).toEqual([])
    one.triedAt('px1')
    one.triedAt('px2')
    one.triedAt('px3')
    one.endedAt('px1', 'unavailable')
    one.endedAt('px3', 'success')
    one.endedAt('px9', 'success')
    expect(log.find('a')[0]?.tried).toEqual([
      { proxy: 'px1', outcome: 'unavailable' },
      { proxy: 'px2', outcome: 'waiting' },
      { proxy: 'px3', outcome: 'success' },
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

  it('forgets what a long call began with, and keeps what became of it in the last minute', () => {
    const log = new DecisionLog()
    log.add(decided('long', 0))
    log.add(decided('b', 1000))
    log.add(decided('long', 50_000, 'UPDATE'))
    log.add(decided('c', 70_000))
    expect(methods(log, 'b')).toEqual([])
    expect(methods(log, 'long')).toEqual(['UPDATE'])
  })

  it('keeps no more than a hundred thousand', () => {
    const log = new DecisionLog()
    for (let i = 0; i < 100_001; i++) log.add(decided(`call ${i}`, 0))
    expect([log.find('call 0').length, log.find('call 1').length, log.find('call 100000').length]).toEqual([0, 1, 1])
  })

  it('tells calls apart whose names have the same hash', () => {
    const log = new DecisionLog()
    for (let i = 0; i < 70_000; i++) log.add(decided(`call ${i}`, i / 1000))
    for (let i = 20_000; i < 70_000; i += 7)
      expect(log.find(`call ${i}`).map(({ callId }) => callId)).toEqual([`call ${i}`])
  })

  it('goes on when the ring was round', () => {
    const log = new DecisionLog()
    for (let i = 0; i < 250_000; i++) log.add(decided(`call ${i % 150_000}`, i))
    expect(log.find('call 99999').map(({ at }) => at)).toEqual([249_999])
    expect(log.find('call 20000').length).toBe(0)
  })
})
