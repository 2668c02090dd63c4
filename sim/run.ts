import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Findings, Scenario } from './scenario.ts'

export interface Run {
  readonly scenario: Scenario
  readonly findings: Findings
}

/** These take longest, so they begin first. */
const LONG = ['equal-heavy', 'beyond-round-robin', 'unequal-capacity', 'lost-probe']

/** Runs scenarios side by side, one a processor, and gives what they found in their order. */
export async function runAll(
  scenarios: readonly Scenario[],
  seed: number,
  tell: (scenario: Scenario, ms: number) => void,
): Promise<Run[]> {
  const found = new Map<string, Findings>()
  const rank = ({ name }: Scenario) => (LONG.includes(name) ? LONG.indexOf(name) : LONG.length)
  const waiting = scenarios.toSorted((a, b) => rank(a) - rank(b))
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const begun = performance.now()
      found.set(next.name, await runOne(next, seed))
      tell(next, performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return scenarios.flatMap((scenario) => {
    const findings = found.get(scenario.name)
    return findings === undefined ? [] : [{ scenario, findings }]
  })
}

function runOne({ name }: Scenario, seed: number): Promise<Findings> {
  const worker = new Worker(new URL('./scenario-worker.ts', import.meta.url), { argv: [name, String(seed)] })
  return new Promise((resolve, reject) => {
    worker.once('message', (findings: Findings) => resolve(findings))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`scenario ${name} ended with ${code} and found nothing`)))
  })
}
