import { describe, expect, it } from 'vitest'
import { dialogName, DialogLeases } from '../../src/domain/dialog-leases.ts'

const dialog = { pool: 'default', proxy: 'px1', callerTag: 7 }
const hour = 3_600_000
const countOf = (leases: DialogLeases, proxy: string) => leases.countsOf('default').get(proxy) ?? 0

describe('a dialog', () => {
  it('is the same from both sides', () => {
    expect(dialogName('call', 'a', 'b')).toBe(dialogName('call', 'b', 'a'))
    expect(dialogName('call', 'a', 'b')).not.toBe(dialogName('call', 'a', 'c'))
    expect(dialogName('call', 'a', 'b')).not.toBe(dialogName('cal', 'a', 'b'))
  })

  it('counts once at its proxy until it is closed, however often its start is heard', () => {
    const leases = new DialogLeases()
    leases.open('k', dialog, 0)
    leases.open('k', dialog, 0)
    expect([countOf(leases, 'px1'), leases.size]).toEqual([1, 1])
    leases.close('k')
    leases.close('k')
    expect([countOf(leases, 'px1'), leases.size]).toEqual([0, 0])
  })

  it('is counted where it was opened, whatever is said of it later', () => {
    const leases = new DialogLeases()
    leases.open('k', dialog, 0)
    leases.open('k', { ...dialog, proxy: 'px2' }, 0)
    expect(leases.find('k')).toMatchObject(dialog)
    expect([countOf(leases, 'px1'), countOf(leases, 'px2')]).toEqual([1, 0])
  })

  it('of a million is the one that goes when another comes, if it is the oldest: calls that nobody ends take no memory without end', () => {
    const leases = new DialogLeases()
    for (let i = 0; i < 1_000_000; i++) leases.open(`k${i}`, dialog, 0)
    leases.open('k0', dialog, 1)
    leases.open('one more', dialog, 1)
    expect(leases.size).toBe(1_000_000)
    expect(countOf(leases, 'px1')).toBe(1_000_000)
    expect([leases.find('k0'), leases.find('one more')]).toEqual([expect.anything(), expect.anything()])
    expect(leases.find('k1')).toBeUndefined()
  })

  it('runs out after twice its Session-Expires', () => {
    const leases = new DialogLeases()
    leases.open('k', dialog, 0, 90)
    leases.expire(179_999)
    expect(leases.size).toBe(1)
    leases.expire(180_000)
    expect([leases.size, countOf(leases, 'px1')]).toEqual([0, 0])
  })

  it('runs out after four hours where it named no time', () => {
    const leases = new DialogLeases()
    leases.open('k', dialog, 0)
    leases.expire(4 * hour - 1)
    expect(leases.size).toBe(1)
    leases.expire(4 * hour)
    expect(leases.size).toBe(0)
  })

  it('runs out among many though few are looked at at a time, and others come and go meanwhile', () => {
    const leases = new DialogLeases()
    for (let i = 0; i < 1000; i++) leases.open(`k${i}`, dialog, 0, 90)
    for (let i = 0; i < 10; i++) {
      leases.open(`later ${i}`, dialog, 180_000)
      leases.open(`k${i * 90}`, dialog, 180_000)
      leases.expire(180_000, 101)
    }
    leases.expire(180_000, 101)
    const left = Array.from({ length: 1000 }, (_, i) => `k${i}`).filter((key) => leases.find(key) !== undefined)
    expect(left.length).toBeLessThanOrEqual(10)
    expect(leases.size).toBe(left.length + 10)
  })

  it('is renewed when it is opened again', () => {
    const leases = new DialogLeases()
    leases.open('k', dialog, 0, 90)
    leases.open('k', dialog, 100_000, 90)
    leases.expire(279_999)
    expect(leases.size).toBe(1)
  })
})
