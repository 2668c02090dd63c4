/** Chance that can be repeated: sfc32 (Chris Doty-Humphrey, PractRand). */
export type Random = () => number

export function seeded(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** Exponentially distributed with this mean. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean
}
