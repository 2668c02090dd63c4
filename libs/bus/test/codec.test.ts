import { batchLimits, loadReported } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { decodeEvents, encodeEvent } from '../src/codec.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const envelope = { source: '/siplb/prober/p-1', id: 'x-1', time: '2026-01-01T00:00:00.000Z' }
const event = (data: object, over: object = {}) =>
  JSON.stringify({ specversion: '1.0', id: '1', source: '/me', type: loadReported.type, data, ...over })
const good = event({ proxy: 'px1', load: 0.5 })

describe('an event', () => {
  it('goes out as structured CloudEvents JSON, with what its schema fills in', () => {
    const encoded: unknown = JSON.parse(encodeEvent(loadReported, { proxy: 'px1', load: 1 } as never, envelope))
    expect(encoded).toEqual({
      specversion: '1.0',
      ...envelope,
      type: 'siplb.load.v1',
      data: { proxy: 'px1', load: 1, source: 'event', ageMs: 0, expiresInMs: 10_000 },
    })
  })

  it('does not go out when it breaks the contract', () => {
    expect(() => encodeEvent(loadReported, { proxy: 'px1', load: 7 } as never, envelope)).toThrow(/load/)
  })
})

describe('what arrives', () => {
  it('is one event or a batch by its first byte, blanks aside', () => {
    const data = { proxy: 'px1', load: 0.5, source: 'event', ageMs: 0, expiresInMs: 10_000 }
    for (const text of [good, `\n  ${good}`, `[${good}]`]) {
      expect(decodeEvents(loadReported, bytesOf(text))).toEqual({
        events: [{ data, source: '/me', id: '1' }],
        malformed: 0,
      })
    }
    expect(decodeEvents(loadReported, bytesOf('[]'))).toEqual({ events: [], malformed: 0 })
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{"specversion":'],
    ['no UTF-8', Uint8Array.from(good, (character) => (character === 'm' ? 0xff : character.charCodeAt(0)))],
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"x"'],
    ['data without their envelope', '{"proxy":"px1","load":0.5}'],
    ['another version of CloudEvents', event({ proxy: 'px1', load: 0.5 }, { specversion: '0.3' })],
    ['no id', event({ proxy: 'px1', load: 0.5 }, { id: undefined })],
    ['no source', event({ proxy: 'px1', load: 0.5 }, { source: '' })],
    ['a time that is none', event({ proxy: 'px1', load: 0.5 }, { time: 'now' })],
    ['another type', event({ proxy: 'px1', load: 0.5 }, { type: 'siplb.load.v2' })],
    ['no data', event({ proxy: 'px1', load: 0.5 }, { data: undefined })],
    ['data that break the schema', event({ proxy: 'px1', load: 1.5 })],
    ['an id that is no slug', event({ proxy: '__proto__', load: 0.5 })],
    ['a batch in a batch', `[[${good}]]`],
    ['ten thousand brackets', '['.repeat(10_000)],
  ])('is malformed when it is %s', (_, payload) => {
    const bytes = typeof payload === 'string' ? bytesOf(payload) : payload
    expect(decodeEvents(loadReported, bytes)).toEqual({ events: [], malformed: 1 })
  })

  it('keeps the good events of a batch and counts the bad', () => {
    const batch = `[${good},7,${event({ proxy: 'px2', load: 9 })},${event({ proxy: 'px3', load: 0 }, { id: '3' })}]`
    const { events, malformed } = decodeEvents(loadReported, bytesOf(batch))
    expect({ ids: events.map(({ id }) => id), malformed }).toEqual({ ids: ['1', '3'], malformed: 2 })
  })

  it('is refused as a whole when it is a batch beyond the limit', () => {
    const batchOf = (length: number) => bytesOf(`[${Array.from({ length }, () => good).join(',')}]`)
    expect(decodeEvents(loadReported, batchOf(batchLimits.events)).events).toHaveLength(batchLimits.events)
    expect(decodeEvents(loadReported, batchOf(batchLimits.events + 1))).toEqual({ events: [], malformed: 1 })
  })
})
