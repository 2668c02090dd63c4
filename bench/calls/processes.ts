import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time of a process in microseconds, all its threads together, from the scheduler's own sums (nanoseconds): the ticks of
 * proc_pid_stat(5) are a hundredth of a second each.
 */
export function cpuMicros(pid: number): number {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000
  }
  return sum
}

/** Memory in megabytes; what several processes share counts in parts. */
export function pssMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024
}

/** A process and all that came of it. */
export function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(familyOf)]
}
