/** What a control group allows: cpu.max, memory.max of cgroup v2; undefined where it sets no limit. */
export interface CgroupLimits {
  /** In CPUs: 1.5 is one and a half. */
  readonly cpus: number | undefined
  readonly memory: MemoryUse | undefined
}

export interface MemoryUse {
  readonly usedBytes: number
  readonly limitBytes: number
}

/** The text of the files of these names in a control group's folder; empty where one is missing. */
export interface CgroupFiles {
  readonly cpuMax: string
  readonly memoryMax: string
  readonly memoryCurrent: string
  readonly memoryStat: string
}

/**
 * Where a process's limits may stand, from /proc/[pid]/cgroup: its own group of cgroup v2 and all above it, as every one of them
 * limits it. None where the group lies outside of what this process can see.
 */
export function cgroupPaths(text: string): string[] {
  const path = /^0::(\/.*)$/m.exec(text)?.[1]
  if (path === undefined || path.startsWith('/..')) return []
  const names = path.split('/').filter((name) => name !== '')
  return Array.from({ length: names.length + 1 }, (_, i) => `/${names.slice(0, names.length - i).join('/')}`)
}

export function parseLimits(files: CgroupFiles): CgroupLimits {
  // `max 100000`, or the quota and the period in microseconds.
  const [quota = NaN, period = NaN] = files.cpuMax.trim().split(' ').map(Number)
  const cpus = quota / period
  return { cpus: Number.isFinite(cpus) ? cpus : undefined, memory: parseMemory(files) }
}

function parseMemory(files: CgroupFiles): MemoryUse | undefined {
  const limitBytes = Number.parseInt(files.memoryMax, 10)
  const current = Number.parseInt(files.memoryCurrent, 10)
  if (Number.isNaN(limitBytes) || Number.isNaN(current)) return undefined
  // Pages of files that nobody used of late are given up before anything is killed.
  const reclaimable = Number(/^inactive_file (\d+)$/m.exec(files.memoryStat)?.[1] ?? 0)
  return { usedBytes: Math.max(0, current - reclaimable), limitBytes }
}

/** Of a group and those above it the tightest: the fewest CPUs, and the memory that is nearest to its end. */
export function tightest(limits: readonly CgroupLimits[]): CgroupLimits {
  const cpus = limits.flatMap((one) => one.cpus ?? [])
  const memories = limits.flatMap(({ memory }) => memory ?? []).toSorted((a, b) => partOf(b) - partOf(a))
  return { cpus: cpus.length === 0 ? undefined : Math.min(...cpus), memory: memories[0] }
}

function partOf({ usedBytes, limitBytes }: MemoryUse): number {
  return usedBytes / limitBytes
}
