import { describe, expect, it } from 'vitest'
import { readPrometheus } from '../../src/domain/prometheus-text.ts'

// After the format's own example (prometheus.io, "Exposition formats").
const text = `# HELP calls_active Calls that are up.
# TYPE calls_active gauge
calls_active{profile="internal",host="a"} 17 1395066363000
calls_active{profile="internal",host="b"} 3
calls_active { profile = "external" , } 1e1
calls_active_peak 99
calls_max 200
msdos_file{path="C:\\\\DIR\\\\FILE.TXT",error="no \\"x\\"\\nfound, }"} 1.458255915e9
broken{ 4
not_a_number NaN
endless +Inf
negative -1
hexadecimal 0x10
empty
no_value{a="b"}
\t# comment`

const read = (metric: string, capacityMetric?: string) => readPrometheus(text, { metric, capacityMetric })
const active = (value: number, capacity?: number) => ({
  kind: 'report',
  report: { kind: 'active', active: value, capacity, details: { active: value } },
})

describe('a figure in Prometheus text', () => {
  it.each([
    ['calls_max', 200],
    ['calls_active', 30],
    ['calls_active{profile="internal"}', 20],
    ['calls_active{host="b", profile="internal"}', 3],
    ['calls_active{profile="external"}', 10],
    ['calls_active{profile="external",host=""}', 10],
    ['msdos_file{path="C:\\\\DIR\\\\FILE.TXT"}', 1_458_255_915],
    ['msdos_file{error="no \\"x\\"\\nfound, }"}', 1_458_255_915],
  ])('is found, and series with these labels are summed up: %s', (metric, value) => {
    expect(read(metric)).toEqual(active(value))
  })

  it('has its capacity from another', () => {
    expect(read('calls_active{profile="internal"}', 'calls_max')).toEqual(active(20, 200))
  })

  it.each([
    ['calls', 'is not in the text'],
    ['calls_active{profile="other"}', 'is not in the text'],
    ['not_a_number', 'is NaN'],
    ['endless', 'is +Inf'],
    ['negative', 'is -1'],
    ['hexadecimal', 'is 0x10'],
    ['empty', 'is nothing'],
    ['no_value', 'is nothing'],
    ['broken', 'cannot be read'],
    ['calls_active{', 'is no metric'],
    ['calls_active{profile=internal}', 'is no metric'],
    ['{profile="internal"}', 'is no metric'],
  ])('is never taken for 0 where it is none: %s', (metric, problem) => {
    expect(read(metric)).toMatchObject({ kind: 'unusable', problem: expect.stringContaining(problem) })
    expect(read('calls_max', metric)).toMatchObject({ kind: 'unusable', problem: expect.stringContaining(problem) })
  })

  it('cannot have the capacity 0', () => {
    expect(readPrometheus('a 1\nb 0', { metric: 'a', capacityMetric: 'b' })).toMatchObject({ kind: 'unusable' })
  })

  it('is read to the end without a last line end, and with CR LF', () => {
    expect(readPrometheus('a 1\r\nb 2\r\nc 3', { metric: 'b', capacityMetric: 'c' })).toEqual(active(2, 3))
  })

  it('in a line that is too long is unreadable; other long lines do no harm', () => {
    const long = (name: string) => `${name}{x="${'y'.repeat(9000)}"} 5\na 1\n`
    expect(readPrometheus(long('other'), { metric: 'a', capacityMetric: undefined })).toEqual(active(1))
    expect(readPrometheus(long('a'), { metric: 'a', capacityMetric: undefined })).toMatchObject({ kind: 'unusable' })
  })
})
