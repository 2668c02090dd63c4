import { parseStat, type ProcessStat } from '../domain/process-stat.ts'
import { isNamed, treeOf, type Target } from '../domain/process-tree.ts'
import { numbersIn, textOrNothing } from './proc-files.ts'

/** The processes of a proxy as they are now, the first ones first; none while it does not run. */
export function findProcesses(target: Target): ProcessStat[] {
  const all = numbersIn('/proc').flatMap((pid) => parseStat(textOrNothing(`/proc/${pid}/stat`)) ?? [])
  return treeOf(all, rootsOf(target))
}

function rootsOf(target: Target): (stat: ProcessStat) => boolean {
  switch (target.by) {
    case 'name':
      return (stat) => isNamed(stat, target.name)
    case 'pid':
      return ({ pid }) => pid === target.pid
    case 'pid-file': {
      const written = Number.parseInt(textOrNothing(target.file), 10)
      return ({ pid }) => pid === written
    }
  }
}
