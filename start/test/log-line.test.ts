import { describe, expect, it } from 'vitest'
import { fieldOf, wordsOf } from '../log-line.ts'

const line = (level: number, fields: object) =>
  JSON.stringify({
    level,
    time: '2026-01-01T00:00:00Z',
    service: 'prober',
    instance: 'x',
    ...fields,
    msg: 'proxy down',
  })

describe('a line of a log', () => {
  it('is told from a warning on, with its facts', () => {
    expect(wordsOf(line(30, {}))).toBeUndefined()
    expect(wordsOf(line(40, { proxyId: 'px1', losses: 4 }))).toBe('warning: proxy down proxyId=px1 losses=4')
    expect(wordsOf(line(50, { err: { type: 'Error', message: 'broken' } }))).toBe('error: proxy down err=broken')
  })

  it('is told as it is when it is the last word of a crash', () => {
    expect(wordsOf('Error: out of luck')).toBe('Error: out of luck')
    expect(wordsOf('{ not json')).toBe('{ not json')
    expect(wordsOf('')).toBeUndefined()
  })

  it('has fields', () => {
    expect(fieldOf(line(30, { httpPort: 9101 }), 'httpPort')).toBe(9101)
    expect(fieldOf('no record', 'httpPort')).toBeUndefined()
  })
})
