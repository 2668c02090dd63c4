import type { Plan } from '../plan.ts'
import { launch } from '../programs.ts'
import type { Calls } from '../screen/status.ts'
import { supervise, type Supervised } from '../supervise.ts'
import { hostPort } from './arguments.ts'

const STOP_MS = 2000
export const CALLS_PER_SECOND = 20

export type Write = (source: string, line: string) => void

/** A sample proxy at the address of every proxy in the configuration. */
export function startSampleProxies(plan: Plan, say: (text: string) => void, write: Write): Promise<Supervised[]> {
  return Promise.all(
    plan.sampleProxies.map(({ id, address, port, delayMs }) => {
      const args = ['--listen', `udp://${hostPort({ address, port })}`, '--name', id, '--delay-ms', String(delayMs)]
      return supervise({
        name: id,
        stopMs: STOP_MS,
        say,
        launch: () =>
          launch({
            name: id,
            program: 'start/demo/sample-proxy.ts',
            args,
            onLine: (line) => write(id, line),
            isReady: (line) => line.includes(' listens on '),
          }),
      })
    }),
  )
}

/** Somebody who calls the balancer; the figures come once a second. */
export function startCaller(
  plan: Plan,
  say: (text: string) => void,
  write: Write,
  onCalls: (calls: Calls) => void,
): Promise<Supervised> {
  const to = plan.listen
    .filter(({ transport }) => transport === 'udp')
    .slice(0, 1)
    .map(({ address, port }) => hostPort({ address: onThisMachine(address), port }))
  const args = ['--to', to.join(''), '--rate', String(CALLS_PER_SECOND), '--json']
  return supervise({
    name: 'caller',
    stopMs: STOP_MS,
    say,
    launch: () =>
      launch({
        name: 'caller',
        program: 'start/demo/caller.ts',
        args,
        onLine(line) {
          const calls = readCalls(line)
          if (calls === undefined) write('caller', line)
          else onCalls(calls)
        },
        isReady: (line) => readCalls(line) !== undefined,
      }),
  })
}

function onThisMachine(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

function readCalls(line: string): Calls | undefined {
  if (!line.startsWith('{')) return undefined
  const value: unknown = JSON.parse(line)
  return isCalls(value) ? value : undefined
}

function isCalls(value: unknown): value is Calls {
  return typeof value === 'object' && value !== null && 'started' in value && 'failures' in value
}
