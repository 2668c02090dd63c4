import { randomInt } from 'node:crypto'

// Whoever knew them could send keys that all hash alike, and have each looked for among all the others.
const start = randomInt(2 ** 32)
const multiplier = randomInt(2 ** 31) * 2 + 1

/** 32 bits, for a table of keys; another one in each process. */
export function keyHash(key: string): number {
  let hash = start
  for (let i = 0; i < key.length; i++) hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ key.charCodeAt(i), multiplier)
  return Math.imul(hash ^ (hash >>> 16), multiplier)
}
