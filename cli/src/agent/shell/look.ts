import { nowMs } from '@siplb/runtime'
import {
  cgroupPaths,
  parseLimits,
  tightest,
  type CgroupFiles,
  type CgroupLimits,
  type MemoryUse,
} from '../domain/cgroup.ts'
import { parseBusyMs, parseStat } from '../domain/process-stat.ts'
import { parseAvailableBytes, parseStatus, type ProcessStatus } from '../domain/process-status.ts'
import type { Target } from '../domain/process-tree.ts'
import type { Sighting } from '../domain/sighting.ts'
import { parseUdpSockets, type UdpSocket } from '../domain/udp-sockets.ts'
import { findProcesses } from './find-processes.ts'
import { numbersIn, textOrNothing } from './proc-files.ts'

export interface Sought {
  readonly target: Target
  /** Of the UDP sockets whose queues count. */
  readonly ports: ReadonlySet<number>
}

/** Where cgroup v2 is mounted, alone or beside version 1. */
const CGROUP_ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
/** What Linux has by default; net.core.rmem_default cannot be read in a network namespace of an old kernel. */
const DEFAULT_BUFFER_BYTES = 212_992

/** Looks at a proxy's processes by /proc. Undefined while there are none. */
export function look({ target, ports }: Sought): Sighting | undefined {
  const processes = findProcesses(target)
  const [root] = processes
  if (root === undefined) return undefined
  const statuses = processes.map(({ pid }) => parseStatus(textOrNothing(`/proc/${pid}/status`)))
  const limits = limitsOf(root.pid)
  const allowed = statuses[0]?.cpusAllowed ?? 1
  return {
    at: nowMs(),
    processes,
    busyMs: new Map(processes.flatMap(({ pid }) => busyOf(pid))),
    cpus: Math.min(allowed, limits.cpus ?? allowed),
    memory: limits.memory ?? memoryOf(statuses),
    sockets: socketsOf(root.pid, ports),
    bufferBytes: Number(textOrNothing('/proc/sys/net/core/rmem_default')) || DEFAULT_BUFFER_BYTES,
  }
}

function busyOf(pid: number): [number, number][] {
  return numbersIn(`/proc/${pid}/task`).flatMap((tid): [number, number][] => {
    const folder = `/proc/${pid}/task/${tid}`
    // A kernel without CONFIG_SCHED_INFO knows the time on a CPU alone.
    const busyMs =
      parseBusyMs(textOrNothing(`${folder}/schedstat`)) ?? parseStat(textOrNothing(`${folder}/stat`))?.cpuMs
    return busyMs === undefined ? [] : [[tid, busyMs]]
  })
}

// Shared memory is mapped by all and there once. Without a limit the machine's memory is all it can get.
function memoryOf(statuses: readonly ProcessStatus[]): MemoryUse {
  const own = statuses.reduce((sum, { anonymousBytes }) => sum + anonymousBytes, 0)
  const usedBytes = own + Math.max(0, ...statuses.map(({ sharedBytes }) => sharedBytes))
  return { usedBytes, limitBytes: usedBytes + parseAvailableBytes(textOrNothing('/proc/meminfo')) }
}

// By the process, since it may live in a network of its own.
function socketsOf(pid: number, ports: ReadonlySet<number>): UdpSocket[] {
  return ['udp', 'udp6'].flatMap((file) => parseUdpSockets(textOrNothing(`/proc/${pid}/net/${file}`), ports))
}

function limitsOf(pid: number): CgroupLimits {
  const paths = cgroupPaths(textOrNothing(`/proc/${pid}/cgroup`))
  return tightest(CGROUP_ROOTS.flatMap((root) => paths.map((path) => parseLimits(filesIn(`${root}${path}`)))))
}

function filesIn(folder: string): CgroupFiles {
  return {
    cpuMax: textOrNothing(`${folder}/cpu.max`),
    memoryMax: textOrNothing(`${folder}/memory.max`),
    memoryCurrent: textOrNothing(`${folder}/memory.current`),
    memoryStat: textOrNothing(`${folder}/memory.stat`),
  }
}
