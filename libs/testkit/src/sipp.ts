import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { freePort } from './ports.ts'
import { waitFor } from './wait-for.ts'
import { hostPort, type Address } from './sip/message.ts'

export interface SippOptions {
  /** Path of a scenario; those for calls through a record-routing proxy lie in test/peers/scenarios. */
  readonly scenario: string
  /** Where requests go; left out for a scenario that begins by receiving. */
  readonly target?: Address
  readonly port?: number
  /** Default udp. tcp: one connection for all calls; tcp-per-call: one for each. */
  readonly transport?: 'udp' | 'tcp' | 'tcp-per-call'
  readonly calls?: number
  readonly ratePerSecond?: number
  /** Most calls at a time. */
  readonly limit?: number
  /** `<pause/>` of the scenario. */
  readonly pauseMs?: number
  readonly user?: string
  readonly domain?: string
  readonly args?: readonly string[]
  /** How long it may run. Default 60,000. */
  readonly timeoutMs?: number
}

/** The figures of SIPp, from the last row of its statistics file. */
export interface SippStatistics {
  readonly created: number
  readonly successful: number
  readonly failed: number
  readonly retransmissions: number
  /** Failures by SIPp's own names: `UnexpectedMessage`, `MaxUDPRetrans`, `TimeoutOnRecv`, … */
  readonly failures: Readonly<Record<string, number>>
  /** What it complained about, of a failed run. */
  readonly errors: string
}

export interface Sipp extends AsyncDisposable, Address {
  /** Resolves when it has made its calls. */
  readonly finished: Promise<SippStatistics>
  /** Takes no new calls, finishes the running ones and tells its figures. */
  stop(): Promise<SippStatistics>
}

/** A caller: runs until its calls are made. */
export async function runSipp(options: SippOptions & { target: Address; calls: number }): Promise<SippStatistics> {
  await using sipp = await startSipp(options)
  return await sipp.finished
}

/** SIPp on 127.0.0.1, the called side as a rule: runs until it is stopped. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-sipp-'))
  const port = options.port ?? (await freePort(options.transport?.startsWith('tcp') === true ? 'tcp' : 'udp'))
  const child = startChild('sipp', argumentsOf(options, port, folder), { cwd: folder })
  const overdue = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  const finished = child.exited.then(async (exit) => {
    clearTimeout(overdue)
    return readStatistics(folder, `sipp ended with ${exit}`)
  })
  finished.catch(() => {}) // whoever waits for it hears it
  await waitFor(() => !child.isRunning() || isBound(port), 5000, `sipp to listen on ${port}`)
  return {
    address: '127.0.0.1',
    port,
    finished,
    async stop() {
      child.kill('SIGUSR1')
      return finished
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await finished.catch(() => {})
      await rm(folder, { recursive: true, force: true })
    },
  }
}

// It wants no more sockets than it may have files.
const modes = { udp: ['u1'], tcp: ['t1'], 'tcp-per-call': ['tn', '-max_socket', '1000'] }

function argumentsOf(options: SippOptions, port: number, folder: string): string[] {
  const {
    scenario,
    target,
    calls,
    ratePerSecond,
    limit,
    pauseMs,
    user = 'bob',
    domain = 'example.com',
    transport = 'udp',
    args = [],
  } = options
  const network = ['-i', '127.0.0.1', '-p', String(port), '-t', ...modes[transport], '-nostdin']
  const dialled = ['-sf', scenario, '-s', user, '-key', 'domain', domain, '-d', String(pauseMs ?? 0)]
  const statistics = ['-trace_stat', '-stf', join(folder, 'statistics.csv'), '-fd', '1']
  const errors = ['-trace_err', '-error_file', join(folder, 'errors.log')]
  return [
    ...(target === undefined ? [] : [hostPort(target)]),
    ...network,
    ...dialled,
    ...(calls === undefined ? [] : ['-m', String(calls)]),
    ...(ratePerSecond === undefined ? [] : ['-r', String(ratePerSecond)]),
    ...(limit === undefined ? [] : ['-l', String(limit)]),
    ...statistics,
    ...errors,
    ...args,
  ]
}

// /proc/net/udp and tcp (proc_net(5)) have the local port in hexadecimal, behind the first colon that is not the number's.
async function isBound(port: number): Promise<boolean> {
  const sockets = (await readFile('/proc/net/udp', 'utf8')) + (await readFile('/proc/net/tcp', 'utf8'))
  return sockets.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `)
}

async function readStatistics(folder: string, exit: string): Promise<SippStatistics> {
  const errors = await readFile(join(folder, 'errors.log'), 'utf8').catch(() => '')
  const rows = (await readFile(join(folder, 'statistics.csv'), 'utf8').catch(() => '')).trim().split('\n')
  if (rows.length < 2) throw new Error(`${exit} and left no statistics: ${errors.slice(0, 1000)}`)
  const names = (rows[0] ?? '').split(';')
  const values = (rows.at(-1) ?? '').split(';')
  // (C): cumulative, over the whole run.
  const figures = new Map(names.map((name, i) => [name.replace('(C)', ''), Number(values[i])]))
  const failures = [...figures].filter(([name, n]) => /^Failed(?!Call$)\w+$/.test(name) && n > 0)
  return {
    created: figures.get('TotalCallCreated') ?? 0,
    successful: figures.get('SuccessfulCall') ?? 0,
    failed: figures.get('FailedCall') ?? 0,
    retransmissions: figures.get('Retransmissions') ?? 0,
    failures: Object.fromEntries(failures.map(([name, n]) => [name.replace('Failed', ''), n])),
    errors: summaryOf(errors),
  }
}

// A response that came again after the call was over is a retransmission, which is counted, and no error; and that the
// machine was busy is none of a call.
function summaryOf(errors: string): string {
  const isError = (event: string) => !event.includes('Dead call') && !event.includes('Overload warning')
  const events = errors.split(/(?=\d{4}-\d\d-\d\d\t)/).filter(isError)
  return events.some((event) => /^\d/.test(event)) ? events.join('').slice(0, 4000) : ''
}
