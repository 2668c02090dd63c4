import { choiceAt, type Candidate, type ChoicesAhead, type CompactChoices } from '@siplb/contracts'
import { draw, type Chooser, type Snapshot } from '@siplb/routing'

/** Choices ahead as they are drawn. */
export type DrawnAhead = ChoicesAhead & { readonly compact: CompactChoices }

/**
 * Choices for the next `count` requests of a pool. None of them when nobody can take a request, nor by rendezvous, which needs the
 * message: the policy then tells the asker to ask with it.
 */
export function drawAhead(snapshot: Snapshot, chooser: Chooser, count: number, ttlMs: number): DrawnAhead {
  const { pool, epoch, seq, policy, isEmpty } = snapshot
  const drawn = Array.from({ length: isEmpty || policy === 'rendezvous' ? 0 : count }, () => draw(snapshot, chooser))
  const compact = compactOf(drawn.map(({ candidates }) => candidates))
  return { pool, epoch, seq, policy, pick: drawn[0]?.pick ?? 'first', ttlMs, choices: [], compact }
}

/** A snapshot has one object for each candidate. */
function compactOf(choices: readonly Candidate[][]): CompactChoices {
  const places = new Map<Candidate, number>()
  const placeOf = (candidate: Candidate) => {
    const known = places.get(candidate)
    if (known !== undefined) return known
    places.set(candidate, places.size)
    return places.size - 1
  }
  const indexes = choices.map((candidates) => candidates.map(placeOf))
  return { candidates: [...places.keys()], indexes }
}

/** The same for who does not understand compact ones. */
export function atLength({ compact, ...ahead }: DrawnAhead): ChoicesAhead {
  return { ...ahead, choices: compact.indexes.map((places) => choiceAt(compact, places)) }
}
