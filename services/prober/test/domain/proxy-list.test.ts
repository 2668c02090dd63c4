import { proxyRecord, type ProxyRecord } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import type { ProbedProxy } from '../../src/domain/probed-proxy.ts'
import { ProxyList } from '../../src/domain/proxy-list.ts'

function declared(id: string): ProbedProxy {
  return { key: `default.${id}`, pool: 'default', id, uri: `sip:${id}`, load: undefined }
}

function row(id: string, changes: Partial<ProxyRecord> = {}): ProxyRecord {
  const common = {
    pool: 'default',
    id,
    uri: `sip:${id}`,
    weight: 100,
    tier: 1,
    origin: 'config',
    adminState: 'enabled',
  }
  return proxyRecord.parse({ ...common, actor: 'test', ...changes })
}

const ids = (list: ProxyList, now: number) => [...list.at(now).values()].map(({ id }) => id).sort()

function tell(list: ProxyList, rows: readonly ProxyRecord[], now: number): void {
  for (const one of rows) list.told(`${one.pool}.${one.id}`, one, now)
}

describe('the proxies to probe', () => {
  it('are those of the file until the store has told its own', () => {
    const list = new ProxyList([declared('a'), declared('b')])
    expect(ids(list, 0)).toEqual(['a', 'b'])
    tell(list, [row('c')], 10)
    expect(ids(list, 5000)).toEqual(['a', 'b'])
    list.caughtUp()
    expect(ids(list, 5000)).toEqual(['c'])
  })

  it('are still those of the file when the store is empty', () => {
    const list = new ProxyList([declared('a')])
    list.caughtUp()
    expect(ids(list, 60_000)).toEqual(['a'])
  })

  it('wait until a store that is being filled is quiet', () => {
    const list = new ProxyList([declared('a'), declared('b')])
    list.caughtUp()
    tell(list, [row('a')], 1000)
    expect(ids(list, 1100)).toEqual(['a', 'b'])
    tell(list, [row('b'), row('c')], 1150)
    expect(ids(list, 1349)).toEqual(['a', 'b'])
    expect(ids(list, 1350)).toEqual(['a', 'b', 'c'])
  })

  it('are the last that were known while the bus is gone, and when it comes back without them', () => {
    const list = new ProxyList([])
    tell(list, [row('a'), row('b')], 0)
    list.caughtUp()
    expect(ids(list, 200)).toEqual(['a', 'b'])
    list.restart()
    list.caughtUp()
    expect(ids(list, 60_000)).toEqual(['a', 'b'])
    tell(list, [row('b')], 60_000)
    expect(ids(list, 60_200)).toEqual(['b'])
  })

  it('are no more those of the file once the store has told its own', () => {
    const list = new ProxyList([declared('a')])
    list.declare([declared('b')])
    expect(ids(list, 0)).toEqual(['b'])
    tell(list, [row('c')], 0)
    list.caughtUp()
    expect(ids(list, 200)).toEqual(['c'])
    list.declare([declared('d')])
    expect(ids(list, 300)).toEqual(['c'])
  })

  it('lose one that was removed, even the last', () => {
    const list = new ProxyList([declared('a')])
    tell(list, [row('a')], 0)
    list.caughtUp()
    list.told('default.a', undefined, 1000)
    expect(ids(list, 1200)).toEqual([])
  })

  it('are not disabled; draining ones are looked after', () => {
    const list = new ProxyList([])
    tell(list, [row('a', { adminState: 'disabled' }), row('b', { adminState: 'draining' }), row('c')], 0)
    list.caughtUp()
    expect(ids(list, 200)).toEqual(['b', 'c'])
  })

  it('are the same map until something changed', () => {
    const list = new ProxyList([declared('a')])
    expect(list.at(1)).toBe(list.at(2))
    tell(list, [row('a')], 2)
    list.caughtUp()
    const told = list.at(300)
    expect(list.at(400)).toBe(told)
  })
})
