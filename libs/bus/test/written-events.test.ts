import { batchLimits, cloudEvent, eventChannel, loadReported } from '@siplb/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Batches } from '../src/batches.ts'
import { decodeEvents } from '../src/codec.ts'
import { WrittenEvents } from '../src/written-events.ts'

const anything = eventChannel({
  address: 'evt.test',
  type: 'test.v1',
  summary: '',
  data: z.record(z.string(), z.any()),
})

/** Events whose batches are kept. */
function writing(batches?: Batches) {
  const sent: Uint8Array[] = []
  let lastId = 0
  const events = new WrittenEvents(
    anything,
    {
      source: '/siplb/tester/t-1',
      nextId: () => `${(lastId += 1)}`,
      send: (given) => {
        sent.push(...given)
        return true
      },
    },
    batches,
  )
  const data = () => sent.flatMap((batch) => decodeEvents(anything, batch).events.map((event) => event.data))
  const raw = () => sent.flatMap((batch) => JSON.parse(new TextDecoder().decode(batch)) as Record<string, unknown>[])
  return { events, sent, data, raw }
}

const octets = (text: string) => Buffer.from(text, 'latin1')
const { events: MOST, bytes: LARGEST } = batchLimits

describe('the data of an event', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\0', '\n', '\u007f', '\u0080', 'ÿ', '€', '\ud800', 'a') }),
  )
  const latin1 = fc.uint8Array().map((bytes) => Buffer.from(bytes))

  it('are what was written, whatever texts hold', () => {
    const { events, data } = writing()
    const member = fc.oneof(anyText, latin1, fc.double({ noDefaultInfinity: true, noNaN: true }), fc.integer())
    const told: object[] = []
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), (members) => {
        const event = events.begin()
        members.forEach((value, i) => {
          if (typeof value === 'string') event.text(`m${i}`, value)
          else if (typeof value === 'number') event.number(`m${i}`, value)
          else event.latin1(`m${i}`, value, 0, value.length)
        })
        events.end()
        // What JSON makes of it: half of a surrogate pair is escaped, and -0 is 0.
        const plain = members.map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value))
        told.push(JSON.parse(JSON.stringify({ ...prefixed(plain) })) as object)
      }),
      { numRuns: 400 },
    )
    events.send()
    expect(data()).toEqual(told)
  })

  const prefixed = (values: readonly unknown[]) => Object.fromEntries(values.map((value, i) => [`m${i}`, value]))

  it('hold only the part of the octets that was meant', () => {
    const { events, data } = writing()
    const event = events.begin()
    event.latin1('middle', octets('<sip:bob>'), 1, 8)
    event.latin1('nothing', octets('<>'), 1, 1)
    event.latin1('high', octets('<ü"\x80>'), 1, 4)
    events.end()
    events.send()
    expect(data()).toEqual([{ middle: 'sip:bob', nothing: '', high: 'ü"\x80' }])
  })

  it('hold what is JSON already', () => {
    const { events, data } = writing()
    const event = events.begin()
    event.text('before', 'b')
    event.json('pieces', [octets('{"a":['), octets('1,2'), octets(']}')])
    event.json('long', [Buffer.from(JSON.stringify('€'.repeat(100_000)))])
    event.number('behind', 7)
    events.end()
    events.send()
    expect(data()).toEqual([{ before: 'b', pieces: { a: [1, 2] }, long: '€'.repeat(100_000), behind: 7 }])
  })

  it('may be written while the memory for them grows, wherever that is', () => {
    for (let fill = 65_000; fill < 65_400; fill++) {
      const { events, data } = writing()
      const filling = { fill: 'x'.repeat(fill) }
      events.add(filling)
      const event = events.begin()
      event.text('text', 'x')
      event.number('number', 123_456)
      event.latin1('latin1', octets('<ü>'), 0, 3)
      events.end()
      events.send()
      expect(data()).toEqual([filling, { text: 'x', number: 123_456, latin1: '<ü>' }])
    }
  })

  it.each(['x', '\u0001', 'ü', '€', '"'])(
    'may be longer than all memory that was kept for them, of %j',
    (character) => {
      const { events, data } = writing()
      const long = character.repeat(200_000)
      for (const text of ['short', long, 'short again']) {
        events.begin().text('text', text)
        events.end()
      }
      events.send()
      expect(data().map(({ text }) => text as string)).toEqual(['short', long, 'short again'])
    },
  )
})

describe('events that are written', () => {
  const tell = (events: WrittenEvents<unknown>, count: number) => {
    for (let i = 0; i < count; i++) {
      events.begin().number('i', i)
      events.end()
    }
  }

  it('are CloudEvents, each with an id of its own', () => {
    const { events, raw } = writing()
    for (const count of [3, MOST + 2]) {
      tell(events, count)
      events.send()
    }
    const all = raw()
    expect(all.filter((event) => !cloudEvent.safeParse(event).success)).toEqual([])
    expect(new Set(all.map(({ id }) => id)).size).toBe(MOST + 5)
    expect(all[0]).toMatchObject({ specversion: '1.0', type: 'test.v1', source: '/siplb/tester/t-1', data: { i: 0 } })
    expect(Math.abs(Date.now() - Date.parse(String(all[0]?.['time'])))).toBeLessThan(10_000)
  })

  it('go out in order, in batches within the limits', () => {
    const { events, sent, data } = writing()
    tell(events, 2 * MOST + 1)
    expect(events.size).toBe(2 * MOST + 1)
    events.send()
    expect([events.size, sent.length]).toEqual([0, 3])
    expect(data().map(({ i }) => i as number)).toEqual(Array.from({ length: 2 * MOST + 1 }, (_, i) => i))
  })

  it('fill no batch beyond its octets', () => {
    const { events, sent, data } = writing()
    for (let i = 0; i < 200; i++) {
      events.begin().text('text', 'x'.repeat(4000))
      events.end()
    }
    events.send()
    expect(sent.map((batch) => batch.length <= LARGEST)).toEqual([true, true, true, true])
    expect(data()).toHaveLength(200)
  })

  it('are sent once, and nothing is when there are none', () => {
    const { events, sent } = writing()
    tell(events, 1)
    for (let i = 0; i < 3; i++) expect(events.send()).toBe(true)
    expect(sent).toHaveLength(1)
  })

  it('leave out what was begun and not ended', () => {
    const { events, data } = writing()
    events.begin().text('lost', 'because its writer threw')
    tell(events, 1)
    events.begin().text('lost', 'too')
    events.send()
    expect(data()).toEqual([{ i: 0 }])
  })

  it('may share their memory with others that are sent before', () => {
    const batches = new Batches()
    const [one, other] = [writing(batches), writing(batches)]
    const circle: Record<string, unknown> = {}
    circle['itself'] = circle
    one.events.add({ i: 'left behind' })
    expect(() => one.events.add(circle)).toThrow(/circular/)
    other.events.add({ i: 'sent' })
    other.events.send()
    expect(other.data()).toEqual([{ i: 'sent' }])
  })

  it('are not sent when the first breaks the contract, which throws; the next ones are', () => {
    const sent: Uint8Array[] = []
    const send = (batches: readonly Uint8Array[]) => sent.push(...batches) > 0
    const events = new WrittenEvents(loadReported, { source: '/me', nextId: () => '1', send })
    events.begin().text('proxy', 'No Slug')
    events.end()
    expect(() => events.send()).toThrow(/slug/)
    expect([events.send(), sent.length]).toEqual([true, 0])
    const event = events.begin()
    event.text('proxy', 'px1')
    event.number('load', 0.5)
    events.end()
    expect(events.send()).toBe(true)
    expect(decodeEvents(loadReported, sent[0] ?? new Uint8Array()).events[0]?.data).toMatchObject({ load: 0.5 })
  })

  it('say whether they went out', () => {
    const events = new WrittenEvents(anything, { source: '/me', nextId: () => '1', send: () => false })
    tell(events, 1)
    expect([events.send(), events.size]).toEqual([false, 0])
  })
})
