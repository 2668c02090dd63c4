/** Of the proxies that the operator lets take part; who must prove itself yet counts as down. */
export interface Counts {
  readonly usable: number
  readonly down: number
  readonly ejected: number
}

/**
 * - `none`: who is out stays out.
 * - `ejected`: so few are left that they would fall too: the ejected ones help. A proxy that is down cannot.
 * - `all`: all are down, as far as we know; trying costs nothing that is not lost already.
 */
export type Panic = 'none' | 'ejected' | 'all'

export function panicOf({ usable, down, ejected }: Counts, threshold: number): Panic {
  const total = usable + down + ejected
  if (total > 0 && down === total) return 'all'
  return ejected > 0 && usable < threshold * total ? 'ejected' : 'none'
}
