import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child, type Exit } from '@siplb/children'
import { NatsServerError } from './errors.ts'

export interface NatsServerOptions {
  /** Path of the program. */
  readonly binary: string
  /** Default 127.0.0.1. */
  readonly address?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** Where JetStream keeps its streams and tables. */
  readonly storeDir: string
  readonly args?: readonly string[]
  readonly onLine?: (line: string) => void
}

export interface NatsServer {
  /** For clients on this machine: `nats://127.0.0.1:4222`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves when the process is gone, whoever ended it. */
  readonly exited: Promise<Exit>
  stop(signal?: NodeJS.Signals): Promise<void>
}

const START_MS = 10_000
const KEPT_LINES = 100

/**
 * A nats-server with JetStream that ends with this process, however that ends. Resolves when clients and JetStream are
 * served, which takes 10–50 ms. Throws a `NatsServerError`: `port-taken` or `not-started`, with its last words.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { binary, address = '127.0.0.1', port = 0, storeDir, args = [] } = options
  if (port !== 0 && !(await isFree(address, port))) {
    throw new NatsServerError(
      'port-taken',
      `${address}:${port} is taken; end what listens there or choose another port`,
    )
  }
  const portsDir = await mkdtemp(join(tmpdir(), 'siplb-nats-'))
  const said: string[] = []
  const listening = ['--addr', address, '--port', port === 0 ? '-1' : String(port), '--ports_file_dir', portsDir]
  const child = startChild(binary, [...listening, '--jetstream', '--store_dir', storeDir, ...args], {
    onLine(line) {
      if (said.length < KEPT_LINES) said.push(line)
      options.onLine?.(line)
    },
  })
  try {
    const url = await readyUrl(child, join(portsDir, `nats-server_${child.pid}.ports`), said)
    const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal)
      await child.exited
    }
    return { url, port: Number(new URL(url).port), pid: child.pid, exited: child.exited, stop }
  } finally {
    await rm(portsDir, { recursive: true, force: true })
  }
}

async function readyUrl(child: Child, portsFile: string, said: readonly string[]): Promise<string> {
  for (const end = performance.now() + START_MS; performance.now() < end && child.isRunning(); await sleep(5)) {
    const url = said.some((line) => line.includes('Server is ready')) ? await readPorts(portsFile) : undefined
    if (url !== undefined) return url
  }
  child.kill('SIGKILL')
  await child.exited
  throw new NatsServerError('not-started', `nats-server did not start: ${said.slice(-3).join(' | ')}`)
}

async function readPorts(file: string): Promise<string | undefined> {
  try {
    const ports: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof ports !== 'object' || ports === null || !('nats' in ports) || !Array.isArray(ports.nats))
      return undefined
    const url: unknown = ports.nats[0]
    return typeof url === 'string' ? url : undefined
  } catch {
    return undefined // not there yet, or half written
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, address, () => probe.close(() => resolve(true)))
  })
}
