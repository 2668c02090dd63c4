import type { Policy, WeightTable } from '@siplb/contracts'
import { buildSnapshot, createChooser, draw, type Chooser, type Snapshot } from '@siplb/routing'
import { placesOf } from '../balancers/kamailio.ts'
import { seeded } from '../engine/random.ts'
import type { Row, Scenario } from '../scenario.ts'
import { tableOf } from './table-of.ts'
import { percent } from './words.ts'

const LARGEST = 500
/** Of sizes for chance: with all five hundred, one of their 125,000 shares would lie outside of 4.5 σ in every second run. */
const SIZES = [2, 3, 5, 8, 13, 26, 34, 51, 100, 101, 200, 333, 500]
const REQUESTS_EACH = 1000
const MOST_SIGMA = 4.5

export const shares: Scenario = {
  name: 'shares',
  shows: 'Of equal weights each proxy gets the same, however many there are.',
  run(seed) {
    return {
      rows: [exact(seed), ...(['least-work', 'weighted-random'] as const).map((policy) => random(seed, policy))],
    }
  },
}

function exact(seed: number): Row {
  let worst = 0
  for (let size = 1; size <= LARGEST; size++) worst = Math.max(worst, furthest(size, seeded(seed)))
  return {
    what: `equal weights, 1 to ${LARGEST} proxies: furthest from its share, in requests`,
    peers: { 'Kamailio 11, largest share of 26': greatestOf(26), 'of 51': greatestOf(51), 'of 101': greatestOf(101) },
    ours: `${worst.toFixed(3)} (smooth-round-robin)`,
    promise: '± 1 request',
    held: worst <= 1,
  }
}

/** The most that any proxy is ahead of or behind its share, at any moment of three rounds. */
function furthest(size: number, chance: () => number): number {
  const next = drawing(size, 'smooth-round-robin', chance)
  const counts = new Map<string, number>()
  let worst = 0
  for (let sent = 1; sent <= 3 * size; sent++) {
    const proxy = next()
    const before = counts.get(proxy) ?? 0
    counts.set(proxy, before + 1)
    worst = Math.max(worst, before + 1 - sent / size, (sent - 1) / size - before)
    if (sent % size === 0 && counts.size < size) worst = Math.max(worst, sent / size)
  }
  return worst
}

function random(seed: number, policy: Policy): Row {
  const worst = Math.max(...SIZES.map((size) => sigmas(size, policy, seeded(seed + size))))
  return {
    what: `the same by chance, ${SIZES.length} sizes up to ${LARGEST}: furthest from its share, in σ of the multinomial`,
    peers: {},
    ours: `${worst.toFixed(2)} (${policy})`,
    promise: `≤ ${MOST_SIGMA} σ`,
    held: worst <= MOST_SIGMA,
  }
}

function sigmas(size: number, policy: Policy, chance: () => number): number {
  const next = drawing(size, policy, chance)
  const counts = new Map<string, number>()
  for (let i = 0; i < REQUESTS_EACH * size; i++) {
    const proxy = next()
    counts.set(proxy, (counts.get(proxy) ?? 0) + 1)
  }
  if (counts.size < size) return Infinity
  const sigma = Math.sqrt(REQUESTS_EACH * (1 - 1 / size))
  return Math.max(...[...counts.values()].map((count) => Math.abs(count - REQUESTS_EACH) / sigma))
}

function drawing(size: number, policy: Policy, chance: () => number): () => string {
  const table: WeightTable = tableOf(
    Array.from({ length: size }, () => 100),
    policy,
  )
  const snapshot: Snapshot = buildSnapshot(table)
  const chooser: Chooser = createChooser(chance)
  return () => draw(snapshot, chooser).candidates[0]?.proxy ?? ''
}

function greatestOf(size: number): string {
  const places = placesOf(Array.from({ length: size }, () => 50))
  const counts = new Map<number, number>()
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1)
  return percent(Math.max(...counts.values()) / places.length, 0)
}
