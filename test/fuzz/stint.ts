import { scan } from '@siplb/sip'
import { seeded } from '../../sim/engine/random.ts'
import { cases } from './cases.ts'
import { Chance } from './chance.ts'
import { examine, type Examined } from './examine.ts'
import { passOn } from './pass-on.ts'
import { seeds } from './seeds.ts'
import { examineStream, streamOf } from './streams.ts'

/** What a thread is to do: so many cases of this seed, or as many as it comes to before the time is over. */
export interface Stint {
  readonly seed: number
  readonly cases: number
  readonly forMs: number
}

/** The message that took longest, and how long: the best of five, so that the collector of garbage does not count. */
export interface Slowest {
  readonly ms: number
  readonly bytes: Uint8Array
}

export interface Found {
  readonly promise: string
  readonly bytes: Uint8Array
}

export interface Report {
  readonly cases: number
  /** Of these so many were put into streams. */
  readonly streams: number
  readonly kinds: Readonly<Record<Examined['kind'], number>>
  readonly slowestScan: Slowest
  readonly slowestWay: Slowest
  /** One of each promise that was broken, the shortest. */
  readonly found: readonly Found[]
}

/** Longer ones are refused for their length; they must not be slow either, but are no measure. */
const MEASURED = 16_384
const REPEATS = 5
/** Every so many cases, one goes into a stream among others. */
const STREAM_EVERY = 10

/** Runs cases in this thread, one after another. */
export function work({ seed, cases: wanted, forMs }: Stint): Report {
  const kinds = { request: 0, response: 0, malformed: 0, 'keep-alive': 0 }
  const slowest = { scanMs: nothing, wayMs: nothing }
  const found = new Map<string, Found>()
  const until = performance.now() + forMs
  const chance = new Chance(seeded(seed))
  let count = 0
  let streams = 0
  for (const bytes of cases(seed)) {
    if (count === wanted || performance.now() > until) break
    count++
    try {
      const examined = examine(bytes)
      kinds[examined.kind]++
      for (const span of ['scanMs', 'wayMs'] as const) slowest[span] = slower(slowest[span], bytes, span, examined)
    } catch (error) {
      keepShortest(found, String(error), bytes)
    }
    if (count % STREAM_EVERY !== 0) continue
    streams++
    const stream = streamOf(neighbours(bytes, chance), chance)
    try {
      examineStream(stream, chance)
    } catch (error) {
      keepShortest(found, String(error), stream)
    }
  }
  return {
    cases: count,
    streams,
    kinds,
    slowestScan: slowest.scanMs,
    slowestWay: slowest.wayMs,
    found: [...found.values()],
  }
}

function neighbours(bytes: Buffer, chance: Chance): Buffer[] {
  const good = () => Buffer.from(chance.one(seeds), 'latin1')
  return Array.from({ length: 1 + chance.below(5) }, () => (chance.is(0.2) ? bytes : good()))
}

const nothing: Slowest = { ms: 0, bytes: new Uint8Array() }

function slower(known: Slowest, bytes: Buffer, span: 'scanMs' | 'wayMs', once: Examined): Slowest {
  if (bytes.length > MEASURED || once[span] <= known.ms) return known
  const ms = Math.min(...Array.from({ length: REPEATS }, () => cpuMs(bytes, span)))
  return ms > known.ms ? { ms, bytes } : known
}

/** Time of this thread's own: what it waits for the processor is no fault of a message. */
function cpuMs(bytes: Buffer, span: 'scanMs' | 'wayMs'): number {
  const begun = process.threadCpuUsage()
  const message = scan(bytes)
  if (span === 'wayMs') passOn(message)
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / 1_000
}

function keepShortest(found: Map<string, Found>, error: string, bytes: Buffer): void {
  const [promise = ''] = error.slice(0, 160).split('\n')
  const known = found.get(promise.slice(0, 60))
  if (known === undefined || bytes.length < known.bytes.length) found.set(promise.slice(0, 60), { promise, bytes })
}
