import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { hostPort } from './sip/message.ts'
import { waitFor } from './wait-for.ts'

export type Rpc = (method: string, params?: readonly (string | number)[]) => Promise<unknown>

/** A running Kamailio, whatever its configuration, as long as that has JSON-RPC at /RPC. */
export interface KamailioProcess extends AsyncDisposable {
  readonly pid: number
  /** JSON-RPC over HTTP. */
  readonly rpcUrl: string
  readonly rpc: Rpc
  /** Figures such as `core:rcv_requests_invite`, `tmx:active_transactions`. */
  statistics(names: readonly string[]): Promise<Readonly<Record<string, number>>>
  /** All of its processes hang: the port takes datagrams, and nobody answers. */
  freeze(): void
  thaw(): void
  /** SIGTERM to the main process; SIGKILL hits all of its processes. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  log(): string
}

export async function startKamailioProcess(
  config: string,
  { address, rpcPort }: { readonly address: string; readonly rpcPort: number },
): Promise<KamailioProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-kamailio-'))
  const file = join(folder, 'kamailio.cfg')
  await writeFile(file, config)
  const lines: string[] = []
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
  // -DD: in the foreground, with the processes that it needs; -Y: its sockets and files in our folder.
  const args = ['-f', file, '-DD', '-E', '-m', '64', '-M', '8', '-Y', folder, '-P', join(folder, 'kamailio.pid')]
  const child = startChild('kamailio', args, { env, onLine: (line) => lines.push(line) })
  const rpcUrl = `http://${hostPort({ address, port: rpcPort })}/RPC`
  const rpc: Rpc = (method, params = []) => callRpc(rpcUrl, method, params)
  // Its children are in the process group that the child process leads.
  const all = (signal: NodeJS.Signals) => void process.kill(-child.pid, signal)
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
    pid: child.pid,
    rpcUrl,
    rpc,
    stop,
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
