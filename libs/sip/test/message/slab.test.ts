import { Slab } from '@siplb/sip'
import { expect, it } from 'vitest'

it('gives pieces that lie side by side and never meet', () => {
  const slab = new Slab()
  const pieces = Array.from({ length: 1000 }, (_, i) => slab.take(i % 500).fill(i % 256))
  for (const [i, piece] of pieces.entries()) expect(piece).toEqual(Buffer.alloc(i % 500, i % 256))
  expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBeLessThan(6)
})

it('gives what is large a place by itself, and goes on where it was', () => {
  const slab = new Slab()
  const before = slab.take(10)
  const large = slab.take(5000)
  expect([large.length, large.buffer.byteLength]).toEqual([5000, 5000])
  const after = slab.take(10)
  expect(after.buffer).toBe(before.buffer)
  expect(after.byteOffset).toBe(before.byteOffset + 10)
})
