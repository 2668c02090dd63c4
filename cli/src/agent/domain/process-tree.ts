import type { ProcessStat } from './process-stat.ts'

/** Which processes are the proxy's, with all their descendants. */
export type Target =
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'pid'; readonly pid: number }
  | { readonly by: 'pid-file'; readonly file: string }

/** TASK_COMM_LEN without the closing zero: the kernel keeps no more of a name. */
const COMM_LENGTH = 15

export function isNamed({ comm }: ProcessStat, name: string): boolean {
  return comm === name.slice(0, COMM_LENGTH)
}

/** Those that are roots, and whom they started; each once, roots first. */
export function treeOf(all: readonly ProcessStat[], isRoot: (stat: ProcessStat) => boolean): ProcessStat[] {
  const children = Map.groupBy(all, ({ parent }) => parent)
  const found = new Set(all.filter(isRoot))
  // A set that grows is walked to its new end.
  for (const { pid } of found) for (const child of children.get(pid) ?? []) found.add(child)
  return [...found]
}

export function targetText(target: Target): string {
  switch (target.by) {
    case 'name':
      return target.name
    case 'pid':
      return `process ${target.pid}`
    case 'pid-file':
      return `the process of ${target.file}`
  }
}
