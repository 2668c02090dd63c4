import type { LoadTools } from './load-tools.ts'
import { cpuMicros, pssMegabytes } from './processes.ts'
import type { System } from './system.ts'
import type { LoadReport } from './tool-messages.ts'

/** What one stretch of load shows of one balancer. */
export interface Measured extends LoadReport {
  readonly system: string
  readonly rate: number
  /** CPU of all its processes. */
  readonly microsPerCall: number
  /** By process, as shares of that. */
  readonly shares: ReadonlyMap<string, number>
  readonly pssMb: number
  readonly busPerSecond: number
  /** The busier load tool, as a part of one core; beyond 0.9 what is measured is the tools. */
  readonly toolLoad: number
  /** INVITEs and BYEs that reached proxies without being asked for: the balancer's own repeating, and its failover. */
  readonly extraAtProxies: number
}

interface Reading {
  readonly at: number
  readonly parts: ReadonlyMap<string, number>
  readonly tools: readonly number[]
  readonly bus: number
}

const WARM_UP_S = 2

export async function measure(system: System, tools: LoadTools, rate: number, seconds: number): Promise<Measured> {
  const { target } = system
  const before = await tools.arrived()
  const readings: Promise<Reading>[] = []
  let pssMb = 0
  const read = () => void readings.push(readingOf(system, tools))
  const report = await tools.call(
    { target, rate, warmUpS: WARM_UP_S, seconds },
    {
      onCounting: read,
      onCounted() {
        read()
        pssMb = sum([...system.parts.values()].flat().map(pssMegabytes))
      },
    },
  )
  const after = await tools.arrived()
  const [first, last] = await Promise.all(readings)
  if (first === undefined || last === undefined) throw new Error('the load ended before it counted')
  const elapsedS = (last.at - first.at) / 1000
  const spent = new Map([...last.parts].map(([name, micros]) => [name, micros - (first.parts.get(name) ?? 0)]))
  const total = sum([...spent.values()])
  return {
    ...report,
    ...{ system: system.name, rate, pssMb },
    microsPerCall: total / report.offered,
    shares: new Map([...spent].map(([name, micros]) => [name, micros / total])),
    busPerSecond: (last.bus - first.bus) / elapsedS,
    toolLoad: Math.max(...last.tools.map((micros, i) => (micros - (first.tools[i] ?? 0)) / 1e6 / elapsedS)),
    extraAtProxies: after.invites - before.invites - Math.round(rate * (WARM_UP_S + elapsedS)),
  }
}

async function readingOf(system: System, tools: LoadTools): Promise<Reading> {
  const at = performance.now()
  const parts = new Map([...system.parts].map(([name, pids]) => [name, sum(pids.map(cpuMicros))]))
  return { at, parts, tools: tools.pids.map(cpuMicros), bus: await system.busMessages() }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
