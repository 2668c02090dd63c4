import type { LoadReport } from './load-report.ts'

/** What came of asking a proxy, or a program beside it, for its load. */
export type LoadAnswer =
  { readonly kind: 'report'; readonly report: LoadReport } | { readonly kind: 'unusable'; readonly problem: string }

export const unusable = (problem: string): LoadAnswer => ({ kind: 'unusable', problem })
