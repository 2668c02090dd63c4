import { WANTED, type Choices, type Entry } from './choice.ts'
import { hashOf, unitOf, type Hash } from './hash.ts'

/** Which weight of a proxy its part of the keys goes by. */
type WeightKind = 'weight' | 'baseWeight'

/**
 * The proxies of a key by weighted rendezvous: the greatest -weight / ln u, where u is a hash of key and proxy (Schindelhauer and
 * Schomaker 2005, "Weighted distributed hash tables", the logarithmic method; Resch 2015). Each proxy gets its share of the
 * keys, and one that goes or comes moves only its own.
 */
export function rank({ urn, fallbackUrns }: Choices, key: string, by: WeightKind = 'weight'): Entry[] {
  const hash = hashOf(key)
  const ranked = best(urn.entries, hash, by, 1, [])
  for (const { entries } of fallbackUrns) {
    if (ranked.length >= WANTED) break
    ranked.push(...best(entries, hash, by, WANTED - ranked.length, ranked))
  }
  return ranked
}

function best(entries: readonly Entry[], key: Hash, by: WeightKind, count: number, taken: readonly Entry[]): Entry[] {
  const scores = entries.map((entry) => (taken.includes(entry) ? 0 : -entry[by] / Math.log(unitOf(key, entry.hash))))
  const found: Entry[] = []
  while (found.length < count) {
    const top = indexOfGreatest(scores)
    const entry = entries[top]
    if (entry === undefined) break
    found.push(entry)
    scores[top] = 0
  }
  return found
}

/** -1 when none is above 0. */
function indexOfGreatest(scores: readonly number[]): number {
  let top = -1
  let greatest = 0
  scores.forEach((score, i) => {
    if (score > greatest) {
      greatest = score
      top = i
    }
  })
  return top
}
