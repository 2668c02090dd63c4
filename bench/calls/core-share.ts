import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const GROUPS = '/sys/fs/cgroup'
/** Microseconds: short, or whoever has used up his part of it stands still for longer than a call may wait. */
const PERIOD = 10_000

/**
 * Holds a process, all its threads, to a part of one core, by a control group of the kernel (cgroups(7)), whichever version it has.
 *
 * @param share 0 to 1
 * @returns what gives the group back, once the process is gone
 * @throws where this user may not make control groups
 */
export function holdToShare(pid: number, share: number): () => void {
  const isNew = existsSync(join(GROUPS, 'cgroup.controllers'))
  const folder = join(GROUPS, isNew ? '' : 'cpu', `siplb-bench-${pid}`)
  mkdirSync(folder)
  const set = (name: string, value: string | number) => writeFileSync(join(folder, name), String(value))
  const quota = Math.round(PERIOD * share)
  if (isNew) set('cpu.max', `${quota} ${PERIOD}`)
  else {
    set('cpu.cfs_period_us', PERIOD)
    set('cpu.cfs_quota_us', quota)
  }
  set('cgroup.procs', pid)
  return () => rmdirSync(folder)
}
