import { expect, it } from 'vitest'
import { keptCopy } from '../../src/shell/kept-bytes.ts'

it('copies what is small, each to a place of its own', () => {
  const originals = Array.from({ length: 1000 }, (_, i) => Buffer.from(`response ${i} `.repeat(20)))
  const copies = originals.map((bytes) => keptCopy(bytes))
  const expected = originals.map(String)
  for (const original of originals) original.fill(0)
  expect(copies.map(String)).toEqual(expected)
  expect(new Set(copies.map(({ buffer }) => buffer)).size).toBeLessThan(10)
})

it('gives what is large a place by itself', () => {
  const large = Buffer.alloc(20_000, 'x').subarray(100, 5100)
  const copy = keptCopy(large)
  expect(copy).toEqual(large)
  expect(copy.buffer.byteLength).toBe(5000)
})
