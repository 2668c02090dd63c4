import { WANTED, type Choices, type Entry, type Urn } from './choice.ts'

// Redrawing what is already taken costs less than adding up the others' weights, until one proxy has nearly all of it.
const MAX_REDRAWS = 8

/**
 * Further proxies for an answer that has fewer than are wanted, each drawn by weight among the rest: what a dead proxy was to get
 * is spread over all others as their weights are.
 */
export function fallbacksFor({ fallbackUrns }: Choices, drawn: readonly Entry[], random: () => number): Entry[] {
  const taken = [...drawn]
  for (const urn of fallbackUrns) {
    while (taken.length < WANTED) {
      const entry = drawOther(urn, taken, random)
      if (entry === undefined) break
      taken.push(entry)
    }
  }
  return taken.slice(drawn.length)
}

function drawOther(urn: Urn, taken: readonly Entry[], random: () => number): Entry | undefined {
  for (let i = 0; i < MAX_REDRAWS; i++) {
    const entry = urn.draw(random())
    if (entry === undefined || !taken.includes(entry)) return entry
  }
  const others = urn.entries.filter((entry) => !taken.includes(entry))
  let point = random() * others.reduce((sum, { weight }) => sum + weight, 0)
  return others.find(({ weight }) => (point -= weight) < 0) ?? others.at(-1)
}
