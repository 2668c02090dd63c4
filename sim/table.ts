import type { Run } from './run.ts'
import type { Row } from './scenario.ts'

/** The table as Markdown, which reads well in a terminal too. */
export function tableOf(runs: readonly Run[]): string {
  const rows = runs.flatMap(({ findings }) => findings.rows)
  const head = ['| what | peers | ours | promise | held |', '|---|---|---|---|---|']
  return [...head, ...rows.map(lineOf)].join('\n')
}

export function broken(runs: readonly Run[]): Row[] {
  return runs.flatMap(({ findings }) => findings.rows.filter(({ held }) => held === false))
}

function lineOf({ what, peers, ours, promise = '–', held }: Row): string {
  const others = Object.entries(peers).map(([name, value]) => `${name}: ${value}`)
  const verdict = held === undefined ? '' : held ? 'yes' : '**no**'
  return `| ${what} | ${others.join('; ') || '–'} | ${ours} | ${promise} | ${verdict} |`
}
