import { describe, expect, it } from 'vitest'
import { parseLoadBody, parseLoadHeader } from '../../src/domain/load-report.ts'

describe('a load header', () => {
  it.each([
    ['0', 0],
    ['0.42', 0.42],
    [' 1 ', 1],
    ['1.0', 1],
    ['0.30000000000000004', 0.30000000000000004],
    ['42%', 0.42],
    ['12.5%', 0.125],
    ['250%', 1],
  ])('%j is load %d', (value, load) => {
    expect(parseLoadHeader(value)).toEqual({ kind: 'load', load, details: {} })
  })

  it('may give the load as a parameter, and figures beside it', () => {
    const details = { load: 0.42, cpu: 37 }
    expect(parseLoadHeader('load=0.42;cpu=37;host=a')).toEqual({ kind: 'load', load: 0.42, details })
    expect(parseLoadHeader('Load = 42% ; active=9')).toMatchObject({ kind: 'load', load: 0.42 })
  })

  it('may count active transactions, with the capacity or without', () => {
    expect(parseLoadHeader('active=17')).toMatchObject({ kind: 'active', active: 17, capacity: undefined })
    expect(parseLoadHeader('active=17;capacity=200')).toMatchObject({ kind: 'active', active: 17, capacity: 200 })
  })

  it('of Kamailio is read for its active transactions', () => {
    expect(parseLoadHeader('inuse=31;active=6;shm=2718744/67108864')).toEqual({
      kind: 'active',
      active: 6,
      capacity: undefined,
      details: { inuse: 31, active: 6 },
    })
  })

  it.each([
    '',
    'high',
    '42', // percentage or load average?
    '1.2',
    '-0.1',
    '0,42',
    '.5',
    '1e-3',
    'NaN',
    'Infinity',
    '0x1',
    'load=high;active=3',
    'load=2',
    'inuse=7',
    'active=-1',
    'active=3;capacity=0',
    '=0.5',
    `0.${'0'.repeat(600)}1`,
    `load=0.5;${'x'.repeat(600)}`,
  ])('%j says nothing', (value) => {
    expect(parseLoadHeader(value)).toBeUndefined()
  })

  it('cannot reach into an object by a figure called __proto__', () => {
    const report = parseLoadHeader('active=1;__proto__=5;constructor=6')
    expect(report?.details).toEqual({ active: 1, constructor: 6 })
  })

  it('of many figures keeps sixteen', () => {
    const many = Array.from({ length: 30 }, (_, i) => `x${i}=${i}`).join(';')
    expect(Object.keys(parseLoadHeader(`load=0.5;${many}`)?.details ?? {})).toHaveLength(16)
  })
})

describe('a JSON body', () => {
  const body = (text: string) => parseLoadBody(Buffer.from(text))

  it('gives a load', () => {
    expect(body('{"load":0.42}')).toEqual({ kind: 'load', load: 0.42, details: { load: 0.42 } })
  })

  it('or counts active transactions', () => {
    expect(body('{"active":17,"capacity":200,"note":"x"}')).toEqual({
      kind: 'active',
      active: 17,
      capacity: 200,
      details: { active: 17, capacity: 200 },
    })
  })

  it.each([
    '',
    '0.42',
    '[0.42]',
    'null',
    '{}',
    '{"load":"high","active":3}',
    '{"load":1.5}',
    '{"load":-1}',
    '{"load":null}',
    '{"active":-1}',
    '{"load":0.42',
    `{"load":0.42,"pad":"${'x'.repeat(3000)}"}`,
  ])('%j says nothing', (text) => {
    expect(body(text)).toBeUndefined()
  })
})
