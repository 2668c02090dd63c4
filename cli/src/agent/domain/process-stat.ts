/** What we want of /proc/[pid]/stat, proc_pid_stat(5). */
export interface ProcessStat {
  readonly pid: number
  /** The name of the executable, cut off after 15 characters; or what the process calls itself. */
  readonly comm: string
  readonly parent: number
  /** CPU time of all its threads so far, those that ended too. */
  readonly cpuMs: number
  /** Since boot: with it a pid is unique, for the number alone may soon be another's. */
  readonly startedTicks: number
}

/** USER_HZ, the unit of /proc/[pid]/stat: 100 on every architecture that Node runs on. */
const TICK_MS = 10

/** Undefined for what is none. */
export function parseStat(text: string): ProcessStat | undefined {
  // The name stands in brackets and may hold anything, brackets and spaces too.
  const opening = text.indexOf('(')
  const closing = text.lastIndexOf(')')
  if (opening < 0 || closing < opening) return undefined
  // From field 3, the state, on.
  const fields = text.slice(closing + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const stat = {
    pid: Number(text.slice(0, opening)),
    comm: text.slice(opening + 1, closing),
    parent: field(4),
    cpuMs: (field(14) + field(15)) * TICK_MS,
    startedTicks: field(22),
  }
  return [stat.pid, stat.parent, stat.cpuMs, stat.startedTicks].every(Number.isFinite) ? stat : undefined
}

/**
 * How long a task has had something to do, of /proc/[pid]/task/[tid]/schedstat (sched-stats in the kernel's documentation): time on a CPU
 * and time in wait for one, in nanoseconds. The wait counts too: a worker that others keep from its CPU is as busy.
 */
export function parseBusyMs(schedstat: string): number | undefined {
  const [running = NaN, waiting = NaN] = schedstat.trim().split(' ').map(Number)
  const busyMs = (running + waiting) / 1e6
  return Number.isFinite(busyMs) ? busyMs : undefined
}
