import type { Chart } from './picture/chart.ts'

/** One line of the table. */
export interface Row {
  readonly what: string
  /** Values of others, by their names, in the same run. */
  readonly peers: Readonly<Record<string, string>>
  readonly ours: string
  /** What we promise, and whether it held; a row without a promise is there to compare. */
  readonly promise?: string
  readonly held?: boolean
}

export interface Findings {
  readonly rows: readonly Row[]
  /** By file name, without its ending. */
  readonly charts?: Readonly<Record<string, Chart>>
}

export interface Scenario {
  readonly name: string
  /** In one sentence. */
  readonly shows: string
  run(seed: number): Findings
}
