import type { Sighting } from './sighting.ts'

/**
 * What the processes of a proxy tell of its load. Each part is 0…1, and the highest is the load, since a proxy is at its end with
 * the first thing that it has no more of.
 */
export interface AgentLoad {
  readonly load: number
  readonly parts: { readonly cpu: number; readonly memory: number; readonly queue: number }
  readonly figures: AgentFigures
}

/** The raw figures, as they stand in the event. */
interface AgentFigures extends Readonly<Record<string, number>> {
  readonly processes: number
  readonly cpus: number
  /** CPU time used, of what all these CPUs give. */
  readonly cpu: number
  /** How busy its workers are: 1 when those that do the work do nothing else but work. */
  readonly busy: number
  readonly memory: number
  readonly memoryBytes: number
  readonly queue: number
  readonly queueBytes: number
  /** Datagrams lost since the last look. */
  readonly drops: number
}

/** Memory is no load while there is enough; its last fifth is. */
const MEMORY_FREE_OF_LOAD = 0.8

/** From two looks at the same processes. Undefined when none of the first is left: it was started anew. */
export function loadBetween(before: Sighting, now: Sighting): AgentLoad | undefined {
  const elapsedMs = now.at - before.at
  const usedMs = cpuUsedMs(before, now)
  if (usedMs === undefined || elapsedMs <= 0) return undefined
  const cpu = within(usedMs / (elapsedMs * now.cpus))
  const busy = within(busyOfWorkers(before, now, elapsedMs))
  const memory = within(now.memory.usedBytes / now.memory.limitBytes)
  const queueBytes = Math.max(0, ...now.sockets.map((socket) => socket.queueBytes))
  const drops = droppedBetween(before, now)
  // Where datagrams were lost the buffer was full, whatever its size is.
  const queue = drops > 0 ? 1 : within(queueBytes / now.bufferBytes)
  const parts = {
    cpu: Math.max(cpu, busy),
    memory: within((memory - MEMORY_FREE_OF_LOAD) / (1 - MEMORY_FREE_OF_LOAD)),
    queue,
  }
  const { cpus, processes } = now
  const memoryBytes = now.memory.usedBytes
  return {
    load: Math.max(parts.cpu, parts.memory, parts.queue),
    parts,
    figures: { processes: processes.length, cpus, cpu, busy, memory, memoryBytes, queue, queueBytes, drops },
  }
}

/** Of those that were there before: what one used until it was first seen is not of this interval alone. */
function cpuUsedMs(before: Sighting, now: Sighting): number | undefined {
  const known = new Map(before.processes.map(({ pid, startedTicks, cpuMs }) => [`${pid}:${startedTicks}`, cpuMs]))
  const used = now.processes.flatMap(({ pid, startedTicks, cpuMs }) => {
    const was = known.get(`${pid}:${startedTicks}`)
    return was === undefined ? [] : cpuMs - was
  })
  return used.length === 0 ? undefined : used.reduce((sum, ms) => sum + ms, 0)
}

/**
 * The mean over its threads of how busy each was, each counted by its part of the work: Σu² / Σu. A proxy has threads that
 * wait for timers or connections beside its workers, and nothing says which is which; those that do little count
 * little. With all workers at the end of their core it is 1; with one of eight, and the others at a tenth, 0.63.
 */
function busyOfWorkers(before: Sighting, now: Sighting, elapsedMs: number): number {
  let sum = 0
  let squares = 0
  for (const [task, busyMs] of now.busyMs) {
    const was = before.busyMs.get(task)
    // Lower: the number was given to another thread.
    if (was === undefined || busyMs < was) continue
    const part = Math.min(1, (busyMs - was) / elapsedMs)
    sum += part
    squares += part * part
  }
  return sum === 0 ? 0 : squares / sum
}

function droppedBetween(before: Sighting, now: Sighting): number {
  const known = new Map(before.sockets.map(({ inode, drops }) => [inode, drops]))
  return now.sockets.reduce((sum, { inode, drops }) => sum + Math.max(0, drops - (known.get(inode) ?? drops)), 0)
}

function within(part: number): number {
  // Four digits: more are noise.
  return Number.isNaN(part) ? 0 : Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 10_000
}
