import { median, withSpread } from './figures.ts'
import type { Measured } from './measure.ts'

/** Beyond this the load tools have no time left, and what is measured is them. */
const TOOLS_BUSY = 0.9

/** Markdown, which reads well in a terminal too: medians over the rounds, least and most in parentheses. */
export function tableOf(all: readonly Measured[]): string {
  const head = [
    '| calls/s | balancer | CPU µs per call | INVITE → 180 p50 ms | p99 ms | failed | sent again | PSS MB | bus messages/s of a worker |',
    '|---|---|---|---|---|---|---|---|---|',
  ]
  return [...head, ...groups(all).map(rowOf)].join('\n')
}

/** siplb's cost of a call over Kamailio's, round by round. */
export function ratiosOf(all: readonly Measured[]): string[] {
  const rates = [...new Set(all.map(({ rate }) => rate))]
  return rates.flatMap((rate) => {
    const [ours, theirs] = ['siplb', 'kamailio'].map((name) =>
      all.filter((one) => one.rate === rate && one.system === name),
    )
    const ratios = (ours ?? []).flatMap((one, i) => {
      const other = theirs?.[i]
      return other === undefined ? [] : [one.microsPerCall / other.microsPerCall]
    })
    return ratios.length === 0 ? [] : [`siplb/kamailio at ${rate} calls/s: ${withSpread(ratios, 2)}`]
  })
}

/** Where the time of ours goes, by process. */
export function sharesOf(all: readonly Measured[]): string[] {
  return groups(all.filter(({ system }) => system === 'siplb')).map((group) => {
    const names = [...(group[0]?.shares.keys() ?? [])]
    const parts = names.map((name) => `${name} ${percent(median(group.map(({ shares }) => shares.get(name) ?? 0)))}`)
    return `CPU by process at ${group[0]?.rate} calls/s: ${parts.join(', ')}`
  })
}

export function warningsOf(all: readonly Measured[]): string[] {
  return groups(all).flatMap((group) => {
    const [first] = group
    const busiest = Math.max(...group.map(({ toolLoad }) => toolLoad))
    const offered = median(group.map((one) => one.offered))
    if (first === undefined || busiest < TOOLS_BUSY) return []
    return [
      `The load tools were the limit at ${first.rate} calls/s with ${first.system}: ${percent(busiest)} of a core, ${offered} calls begun.`,
    ]
  })
}

function rowOf(group: readonly Measured[]): string {
  const [first] = group
  const of = (value: (one: Measured) => number, digits: number) => withSpread(group.map(value), digits)
  const cells = [
    first?.rate,
    first?.system,
    first?.system === 'direct' ? '–' : of((one) => one.microsPerCall, 0),
    of((one) => one.p50Ms, 2),
    of((one) => one.p99Ms, 2),
    of((one) => one.failed, 0),
    of((one) => one.retransmitted + Math.max(0, one.extraAtProxies), 0),
    first?.system === 'direct' ? '–' : of((one) => one.pssMb, 0),
    first?.system === 'siplb' ? of((one) => one.busPerSecond, 0) : '–',
  ]
  return `| ${cells.join(' | ')} |`
}

function groups(all: readonly Measured[]): Measured[][] {
  const byKey = Map.groupBy(all, ({ rate, system }) => `${rate} ${system}`)
  return [...byKey.values()].toSorted((a, b) => (a[0]?.rate ?? 0) - (b[0]?.rate ?? 0))
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
