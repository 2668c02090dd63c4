/**
 * Which weighers live, and which of them is to write which pool (rendezvous hashing: Thaler, Ravishankar, 1998): each works it
 * out for itself, and one that goes moves only its own pools.
 */
export type Replicas = ReadonlyMap<string, Sign>

interface Sign {
  /** Tells one sign of life from a repetition of it. */
  readonly mark: string
  readonly at: number
  /** Heard of without a gap since then; a mere key in the store may be years old. */
  readonly aliveSince: number | undefined
}

const ALIVE_MS = 3000
/** A replica that comes and goes is not given a pool. */
const STEADY_MS = 5000
const FORGOTTEN_MS = 60_000

export function signHeard(replicas: Replicas, instance: string, mark: string, now: number): Replicas {
  const known = replicas.get(instance)
  if (known?.mark === mark) return replicas
  const isAlive = known !== undefined && now - known.at <= ALIVE_MS
  const aliveSince = isAlive ? (known.aliveSince ?? now) : undefined
  return new Map(replicas).set(instance, { mark, at: now, aliveSince })
}

export function signRemoved(replicas: Replicas, instance: string): Replicas {
  const rest = new Map(replicas)
  rest.delete(instance)
  return rest
}

/** Those whose keys nobody misses. */
export function forgottenReplicas(replicas: Replicas, self: string, now: number): string[] {
  return [...replicas].flatMap(([instance, { at }]) => (instance !== self && now - at > FORGOTTEN_MS ? [instance] : []))
}

/** The one that is to write this pool; ourselves while we know of no other. */
export function writerOf(pool: string, replicas: Replicas, self: string, now: number): string {
  const steady = [...replicas].flatMap(([instance, { at, aliveSince }]) =>
    aliveSince !== undefined && now - at <= ALIVE_MS && now - aliveSince >= STEADY_MS ? [instance] : [],
  )
  return [...new Set([self, ...steady])].toSorted((a, b) => scoreOf(b, pool) - scoreOf(a, pool))[0] ?? self
}

function scoreOf(instance: string, pool: string): number {
  // FNV-1a, finished as MurmurHash3 does, since its last octets move the high bits too little.
  let h = 0x811c9dc5
  for (const char of `${instance}/${pool}`) h = Math.imul(h ^ (char.codePointAt(0) ?? 0), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
