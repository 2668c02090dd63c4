import type { Address } from '@siplb/testkit'

/** What is said between the benchmark and its load tools, which are processes of their own. */
export interface LoadOrder {
  readonly target: Address
  /** Calls per second. */
  readonly rate: number
  /** Before anything counts. */
  readonly warmUpS: number
  readonly seconds: number
}

export interface LoadReport {
  readonly kind: 'report'
  /** Calls begun while it counted. */
  readonly offered: number
  readonly failed: number
  /** Calls of which anything had to be sent again. */
  readonly retransmitted: number
  /** Of INVITE → 180. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Final responses other than 200, by status. */
  readonly refusals: Readonly<Record<string, number>>
}

export type CallerSays = { readonly kind: 'ready' | 'counting' | 'counted' } | LoadReport

export interface ProxiesSay {
  readonly kind: 'listening' | 'counts'
  readonly ports: readonly number[]
  readonly invites: number
  readonly byes: number
}

/** A tool ends with who started it. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(0))
}

export function tell(message: CallerSays | ProxiesSay): void {
  process.send?.(message)
}
