import type { Candidate, RouteAnswer, Routed, RouteFacts } from '@siplb/contracts'
import type { Entry } from './choice/choice.ts'
import { fallbacksFor } from './choice/fallbacks.ts'
import { drawForPick, LEAST_WORK_DRAWS } from './choice/least-work.ts'
import { Points } from './choice/points.ts'
import { rank } from './choice/rendezvous.ts'
import { SmoothRoundRobin } from './choice/smooth-round-robin.ts'
import { drawTwo } from './choice/two-choices.ts'
import type { Matcher } from './match.ts'
import type { RouteKeys } from './route-keys.ts'
import type { Snapshot } from './snapshot.ts'

/** What the choices of a pool remember from one to the next, over all its snapshots. */
interface Memory {
  readonly points: Points
  readonly roundRobin: SmoothRoundRobin
}

export interface Chooser {
  readonly random: () => number
  /** Each pool has its own: two pools that shared one sequence would each see only a part of it. */
  memoryOf(pool: string): Memory
}

export function createChooser(random: () => number): Chooser {
  const memories = new Map<string, Memory>()
  return {
    random,
    memoryOf(pool) {
      const known = memories.get(pool)
      if (known !== undefined) return known
      const memory = { points: new Points(random), roundRobin: new SmoothRoundRobin() }
      memories.set(pool, memory)
      return memory
    },
  }
}

export interface Drawn {
  readonly candidates: Candidate[]
  readonly pick: Routed['pick']
}

/**
 * The candidates of one request, by the policy of the pool; none when nobody can take it. Three distinct ones at least, where the
 * pool has them. `key` is what rendezvous hashes; without one it draws by weight.
 */
export function draw(snapshot: Snapshot, chooser: Chooser, key?: string): Drawn {
  if (snapshot.isEmpty) return { candidates: [], pick: 'first' }
  const drawn = firstDraws(snapshot, chooser, key)
  const added = fallbacksFor(snapshot, drawn, chooser.random)
  const pick = isPickedByWork(snapshot) ? 'least-work' : 'first'
  const addedAs = pick === 'least-work' ? 'fallback' : 'candidate'
  return { candidates: [...drawn.map((entry) => entry.candidate), ...added.map((entry) => entry[addedAs])], pick }
}

/**
 * The proxies of an address-of-record: by base weights, since a binding must not move when a weight does; only who takes no new
 * request at all is passed over.
 */
function drawForAor(snapshot: Snapshot, aor: string): Drawn {
  return { candidates: rank(snapshot, aor, 'baseWeight').map(({ candidate }) => candidate), pick: 'first' }
}

function firstDraws(snapshot: Snapshot, chooser: Chooser, key: string | undefined): Entry[] {
  const { points, roundRobin } = chooser.memoryOf(snapshot.pool)
  switch (snapshot.policy) {
    case 'least-work':
      return drawForPick(snapshot, points, LEAST_WORK_DRAWS)
    case 'two-choices':
      return drawTwo(snapshot, points)
    case 'smooth-round-robin':
      return one(roundRobin.next(snapshot.urn))
    case 'weighted-random':
      return one(snapshot.urn.draw(chooser.random()))
    case 'rendezvous':
      return key === undefined ? one(snapshot.urn.draw(chooser.random())) : rank(snapshot, key)
  }
}

function isPickedByWork({ policy, strict }: Snapshot): boolean {
  return !strict && (policy === 'least-work' || policy === 'two-choices')
}

function one(entry: Entry | undefined): Entry[] {
  return entry === undefined ? [] : [entry]
}

/** Where a request may go: pool by its facts, candidates by the pool's policy. Without `keys` the Call-ID is hashed. */
export function route(
  matcher: Matcher,
  snapshots: ReadonlyMap<string, Snapshot>,
  chooser: Chooser,
  facts: RouteFacts,
  keys: RouteKeys = callIdKeys,
): RouteAnswer {
  const { id } = facts
  const pool = matcher.poolOf(facts)
  if (pool === undefined) return { outcome: 'no-pool', id }
  const snapshot = snapshots.get(pool)
  if (snapshot === undefined || snapshot.isEmpty) return { outcome: 'no-proxy', id, pool }
  const { epoch, seq, policy } = snapshot
  const aor = keys.aor(pool, facts)
  if (aor !== undefined) return { outcome: 'routed', id, pool, epoch, seq, policy, ...drawForAor(snapshot, aor) }
  const key = policy === 'rendezvous' ? keys.rendezvous(pool, facts) : undefined
  return { outcome: 'routed', id, pool, epoch, seq, policy, ...draw(snapshot, chooser, key) }
}

const callIdKeys: RouteKeys = { rendezvous: (_, { callId }) => callId, aor: () => undefined }
