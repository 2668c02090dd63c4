import type { ChoicesAhead } from '@siplb/contracts'
import { draw, type Chooser, type Snapshot } from '@siplb/routing'

/**
 * Choices for the next `count` requests of a pool. None of them when nobody can take a request, nor by rendezvous, which needs the
 * message: the policy then tells the asker to ask with it.
 */
export function choicesAheadOf(snapshot: Snapshot, chooser: Chooser, count: number, ttlMs: number): ChoicesAhead {
  const { pool, epoch, seq, policy, isEmpty } = snapshot
  const drawn = Array.from({ length: isEmpty || policy === 'rendezvous' ? 0 : count }, () => draw(snapshot, chooser))
  return {
    pool,
    epoch,
    seq,
    policy,
    pick: drawn[0]?.pick ?? 'first',
    ttlMs,
    choices: drawn.map(({ candidates }) => candidates),
  }
}
