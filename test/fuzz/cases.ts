import fc from 'fast-check'
import { seeded } from '../../sim/engine/random.ts'
import { adversary } from './adversaries.ts'
import { Chance } from './chance.ts'
import { generatedMessage } from './generated.ts'
import { lineMutations } from './mutate-lines.ts'
import { octetMutations, randomOctets, splice } from './mutate-octets.ts'
import { seeds } from './seeds.ts'

/** What UDP can carry. */
const MOST = 65_507
const BATCH = 200

/** One case after another, for ever: the same ones for the same seed. */
export function* cases(seed: number): Generator<Buffer> {
  const chance = new Chance(seeded(seed))
  const generated = generatedCases(chance)
  for (;;) yield Buffer.from(nextCase(chance, generated).slice(0, MOST), 'latin1')
}

function nextCase(chance: Chance, generated: Generator<string>): string {
  const kind = chance.random()
  if (kind < 0.5) return mutated(chance.one(seeds), chance)
  if (kind < 0.62) return mutated(splice(chance.one(seeds), chance.one(seeds), chance), chance)
  if (kind < 0.8) return chance.is(0.5) ? next(generated) : mutated(next(generated), chance)
  if (kind < 0.95) return chance.is(0.5) ? adversary(chance) : mutated(adversary(chance), chance)
  return randomOctets(chance)
}

function mutated(text: string, chance: Chance): string {
  for (let left = chance.length(8); left > 0 && text !== '' && text.length < 4 * MOST; left--) {
    text = chance.one(chance.is(0.6) ? lineMutations : octetMutations)(text, chance)
  }
  return text
}

function* generatedCases(chance: Chance): Generator<string> {
  for (;;) yield* fc.sample(generatedMessage, { numRuns: BATCH, seed: chance.below(2 ** 31) })
}

function next(generated: Generator<string>): string {
  const { value, done } = generated.next()
  if (done === true) throw new Error('it never ends')
  return value
}
