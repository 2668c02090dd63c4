import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { kamailioConfig } from './kamailio-config.ts'
import { freePort } from './ports.ts'
import { waitFor } from './wait-for.ts'
import { hostPort, type Address } from './sip/message.ts'

export interface KamailioOptions {
  /** Where requests outside dialogs go: SIPp or a sample proxy, as the phone behind it. */
  readonly next: Address
  readonly name?: string
  readonly port?: number
  readonly rpcPort?: number
  /** SIP processes. Default 2: with a delay of 20 ms, they carry 100 INVITEs per second. */
  readonly children?: number
  /** Default true. */
  readonly recordRoute?: boolean
  /** Requests of dialogs that it knows nothing of, and OPTIONS to nobody, too. Default false. */
  readonly relaysAll?: boolean
}

/** A real Kamailio as a downstream proxy, on 127.0.0.1. */
export interface Kamailio extends AsyncDisposable, Address {
  readonly name: string
  /** `sip:address:port`. */
  readonly uri: string
  readonly pid: number
  /** JSON-RPC over HTTP, and Prometheus text beside it at /metrics. */
  readonly rpcUrl: string
  rpc(method: string, params?: readonly (string | number)[]): Promise<unknown>
  /** How long each INVITE holds one of its processes, from now on. */
  setDelay(delayMs: number): Promise<void>
  /** The status that every INVITE gets from now on; undefined: none. */
  setRefusal(status: number | undefined): Promise<void>
  /** The percentage of requests that its answers to OPTIONS ask to leave out (RFC 7339, for 3 s each); 0: it asks for nothing. */
  setOverload(lossPercent: number): Promise<void>
  /** Figures such as `core:rcv_requests_invite`, `tmx:active_transactions`. */
  statistics(names: readonly string[]): Promise<Readonly<Record<string, number>>>
  /** All of its processes hang: the port takes datagrams, and nobody answers. */
  freeze(): void
  thaw(): void
  /** SIGTERM to the main process; SIGKILL hits all of its processes. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  log(): string
}

export async function startKamailio(options: KamailioOptions): Promise<Kamailio> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-kamailio-'))
  const settings = {
    address: '127.0.0.1',
    name: options.name ?? 'kamailio',
    next: options.next,
    port: options.port ?? (await freePort('udp')),
    rpcPort: options.rpcPort ?? (await freePort('tcp')),
    children: options.children ?? 2,
    recordRoute: options.recordRoute ?? true,
    relaysAll: options.relaysAll ?? false,
  }
  const file = join(folder, 'kamailio.cfg')
  await writeFile(file, kamailioConfig(settings))
  const lines: string[] = []
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
  // -DD: in the foreground, with the processes that it needs; -Y: its sockets and files in our folder.
  const args = ['-f', file, '-DD', '-E', '-m', '64', '-M', '8', '-Y', folder, '-P', join(folder, 'kamailio.pid')]
  const child = startChild('kamailio', args, { env, onLine: (line) => lines.push(line) })
  const rpcUrl = `http://${hostPort({ address: settings.address, port: settings.rpcPort })}/RPC`
  const rpc = (method: string, params: readonly (string | number)[] = []) => callRpc(rpcUrl, method, params)
  // Its children are in the process group that the child process leads.
  const all = (signal: NodeJS.Signals) => void process.kill(-child.pid, signal)
  const set = async (name: string, value: number) => void (await rpc('pv.shvSet', [name, 'int', value]))
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
    if (child.isRunning()) {
      if (signal === 'SIGKILL') all(signal)
      else child.kill(signal)
    }
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const isUp = () =>
      !child.isRunning() ||
      rpc('core.uptime').then(
        () => true,
        () => false,
      )
    await waitFor(isUp, 10_000, 'kamailio to answer RPC')
    if (!child.isRunning()) throw new Error('kamailio ended at once')
  } catch (error) {
    await stop('SIGKILL')
    throw new Error(`kamailio did not start:\n${lines.slice(-20).join('\n')}`, { cause: error })
  }
  return {
    name: settings.name,
    address: settings.address,
    port: settings.port,
    pid: child.pid,
    rpcUrl,
    rpc,
    stop,
    uri: `sip:${hostPort(settings)}`,
    setDelay: (delayMs) => set('delay', Math.round(delayMs * 1000)),
    setRefusal: (status) => set('refuse', status ?? 0),
    setOverload: (lossPercent) => set('oc', lossPercent),
    statistics: async (names) => figuresOf(await rpc('stats.fetchn', names)),
    freeze: () => all('SIGSTOP'),
    thaw: () => all('SIGCONT'),
    log: () => lines.join('\n'),
    [Symbol.asyncDispose]: () => stop('SIGKILL'),
  }
}

async function callRpc(url: string, method: string, params: readonly (string | number)[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(3000) })
  const answer: unknown = await response.json()
  if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result
  throw new Error(`kamailio refused ${method}: ${JSON.stringify(answer)}`)
}

function figuresOf(result: unknown): Record<string, number> {
  if (typeof result !== 'object' || result === null) return {}
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name.replace('.', ':'), Number(value)]))
}
