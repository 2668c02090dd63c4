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

it('leaves what is large where it lies', () => {
  const large = Buffer.alloc(5000)
  expect(keptCopy(large).buffer).toBe(large.buffer)
})
