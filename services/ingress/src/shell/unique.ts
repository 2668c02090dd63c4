import { randomFillSync } from 'node:crypto'

const WIDTH = 10
const pool = Buffer.alloc(WIDTH * 512)
let at = pool.length

/** 80 random bits as text: unique for a branch, and not to be guessed. Taken from a pool, since each call to the system costs. */
export function uniqueText(): string {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const text = pool.toString('hex', at, at + WIDTH)
  at += WIDTH
  return text
}
