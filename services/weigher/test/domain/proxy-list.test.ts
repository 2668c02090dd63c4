import { declaredProxy, type ProxyRecord } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { add, administer, importDeclared, remove, reweigh } from '../../src/domain/proxy-list.ts'

const target = { pool: 'default', proxy: 'px1', actor: 'ann' }
const declared = { uri: 'sip:10.0.0.1', weight: 100, tier: 1 }
const record: ProxyRecord = {
  ...{ pool: 'default', id: 'px1', uri: 'sip:10.0.0.1', weight: 100, tier: 1 },
  ...{ origin: 'config', adminState: 'enabled', actor: 'configuration' },
}
const byCommand: ProxyRecord = { ...record, origin: 'command', actor: 'ann' }

describe('a command on the proxy list', () => {
  it('adds a proxy', () => {
    expect(add(undefined, target, declared)).toEqual({ kind: 'write', record: byCommand })
  })

  it('adds no second proxy under an id, but may be given twice', () => {
    expect(add(byCommand, target, declared)).toMatchObject({ kind: 'unchanged' })
    expect(add(record, target, declared)).toMatchObject({ kind: 'refused', status: 409 })
    expect(add(byCommand, target, { ...declared, uri: 'sip:10.0.0.2' })).toMatchObject({ kind: 'refused', status: 409 })
  })

  it('removes what a command added; what the file declares it refuses, and says what helps', () => {
    expect(remove(byCommand, target)).toEqual({ kind: 'remove', record: byCommand })
    expect(remove(record, target)).toEqual({
      kind: 'refused',
      status: 409,
      text: 'proxy "px1" is declared in the configuration: take it out of the file, or disable it',
    })
  })

  it('drains, disables and enables, and says who did', () => {
    expect(administer(record, target, 'draining')).toEqual({
      kind: 'write',
      record: { ...record, adminState: 'draining', actor: 'ann' },
    })
    expect(administer(record, target, 'enabled')).toMatchObject({ kind: 'unchanged' })
  })

  it('sets a weight over the declared one, and takes it back', () => {
    const set = reweigh(record, target, 30)
    expect(set).toMatchObject({ kind: 'write', record: { weight: 100, operatorWeight: 30, actor: 'ann' } })
    const changed = { ...record, operatorWeight: 30 }
    expect(reweigh(changed, target, 30)).toMatchObject({ kind: 'unchanged' })
    expect(reweigh(changed, target, null)).toEqual({ kind: 'write', record: { ...record, actor: 'ann' } })
  })

  it('knows no other proxies', () => {
    for (const change of [
      remove(undefined, target),
      administer(undefined, target, 'disabled'),
      reweigh(undefined, target, 1),
    ]) {
      expect(change).toMatchObject({ kind: 'refused', status: 404 })
    }
  })
})

describe('the import of the file', () => {
  const proxy = (id: string, more = {}) => declaredProxy.parse({ id, uri: 'sip:10.0.0.1', ...more })
  const known = (...records: ProxyRecord[]) => new Map(records.map((one) => [one.id, one]))

  it('writes what is new or different, and nothing else', () => {
    const list = known(record, { ...record, id: 'px2' })
    const { write, remove: gone } = importDeclared(
      'default',
      [proxy('px1'), proxy('px2', { weight: 5 }), proxy('px3')],
      list,
    )
    expect(write.map(({ id, weight }) => [id, weight])).toEqual([
      ['px2', 5],
      ['px3', 100],
    ])
    expect(gone).toEqual([])
  })

  it('keeps what operators set', () => {
    const list = known({ ...record, adminState: 'disabled', operatorWeight: 7, actor: 'ann' })
    const { write } = importDeclared('default', [proxy('px1', { weight: 5 })], list)
    expect(write).toEqual([{ ...record, weight: 5, adminState: 'disabled', operatorWeight: 7, actor: 'ann' }])
  })

  it('removes what is declared no more, but not what a command added', () => {
    const list = known(record, { ...byCommand, id: 'px9' })
    expect(importDeclared('default', [], list)).toEqual({ write: [], remove: ['px1'] })
  })

  it('makes a proxy that a command had added a declared one', () => {
    expect(importDeclared('default', [proxy('px1')], known(byCommand)).write).toMatchObject([
      { origin: 'config', actor: 'ann' },
    ])
  })
})
