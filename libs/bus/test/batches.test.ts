import { batchLimits } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { Batches } from '../src/batches.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function put(batches: Batches, events: readonly string[]): void {
  for (const event of events) {
    batches.begin().put(event)
    batches.end()
  }
}

function toBatches(events: readonly string[]): Uint8Array[] {
  const batches = new Batches()
  put(batches, events)
  return batches.take()
}

describe('batches', () => {
  it('hold all events in order, at most 500 each', () => {
    const events = Array.from({ length: 1201 }, (_, i) => `{"i":${i}}`)
    const batches = toBatches(events).map((batch) => JSON.parse(textOf(batch)) as { i: number }[])
    expect(batches.map((batch) => batch.length)).toEqual([500, 500, 201])
    expect(batches.flat().map(({ i }) => i)).toEqual(events.map((_, i) => i))
  })

  it.each([
    ['one byte each', 'x'],
    ['three bytes each', '€'],
  ])('are at most 256 KB, with characters of %s', (_, character) => {
    const one = JSON.stringify({ text: character.repeat(3000) })
    const batches = toBatches(Array.from({ length: 300 }, () => one))
    for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(batchLimits.bytes)
    expect(batches.flatMap((batch) => JSON.parse(textOf(batch)) as unknown[])).toHaveLength(300)
    // Filled as far as they may be: one more event would not have fitted.
    expect(batches[0]?.length).toBeGreaterThan(batchLimits.bytes - bytesOf(one).length - 1)
  })

  it('fill the limit to the byte', () => {
    const half = (length: number) => JSON.stringify('x'.repeat(length - 2))
    const rest = batchLimits.bytes - 3 // brackets and a comma
    expect(toBatches([half(1000), half(rest - 1000)]).map((batch) => batch.length)).toEqual([batchLimits.bytes])
    expect(toBatches([half(1000), half(rest - 999)])).toHaveLength(2)
  })

  it('let an event through that is larger by itself, alone and in its place', () => {
    const large = JSON.stringify('x'.repeat(batchLimits.bytes))
    const batches = toBatches(['1', large, '2', '3']).map((batch) => JSON.parse(textOf(batch)) as unknown[])
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 2])
  })

  it('are none where there is nothing to say', () => {
    expect(toBatches([])).toEqual([])
  })

  it('are begun anew when they were taken or forgotten, and without what was not ended', () => {
    const batches = new Batches()
    put(batches, ['1', '2'])
    batches.begin().put('"never ended"')
    put(batches, ['3'])
    expect(batches.take().map(textOf)).toEqual(['[1,2,3]'])
    put(batches, ['4'])
    batches.clear()
    put(batches, ['5'])
    expect(batches.take().map(textOf)).toEqual(['[5]'])
    expect(batches.take()).toEqual([])
  })

  it('that were taken stay as they are, whatever is written later', () => {
    const batches = new Batches()
    put(batches, ['1'])
    const [first] = batches.take()
    put(batches, ['2'])
    expect(textOf(first ?? new Uint8Array())).toBe('[1]')
  })
})
