import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  /** Its output, in pieces. */
  readonly onOutput?: (text: string) => void
}

export interface NatsServer {
  /** For clients on this machine: `nats://127.0.0.1:4222`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves when the process is gone, whoever ended it, with its exit code or signal. */
  readonly exited: Promise<number | NodeJS.Signals>
  stop(signal?: NodeJS.Signals): Promise<void>
}

const START_MS = 10_000

/**
 * N1. The server ends with this process, however that ends: a watcher in the shell that it grows out of reads our end of
 *     a pipe and ends it when the pipe breaks. (`exec`: the process that we know is the server itself, so that signals
 *     reach it.)
 * N2. "Ready" means that clients and JetStream are served. Takes 10–50 ms.
 *
 * Throws a `NatsServerError`: `port-taken` or `not-started`, with the last words of the server.
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { binary, address = '127.0.0.1', port = 0, storeDir, args = [], onOutput } = options
  if (port !== 0 && !(await isFree(address, port))) {
    throw new NatsServerError(
      'port-taken',
      `${address}:${port} is taken; end what listens there or choose another port`,
    )
  }
  const portsDir = await mkdtemp(join(tmpdir(), 'siplb-nats-'))
  try {
    const child = spawnGuarded(binary, [
      ...['--addr', address, '--port', port === 0 ? '-1' : String(port), '--jetstream', '--store_dir', storeDir],
      ...['--ports_file_dir', portsDir],
      ...args,
    ])
    const exited = exitOf(child)
    let output = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000)
      onOutput?.(text)
    })
    const url = await readyUrl(child, portsDir, () => output)
    const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal)
      await exited
    }
    return { url, port: Number(new URL(url).port), pid: child.pid ?? 0, exited, stop }
  } finally {
    await rm(portsDir, { recursive: true, force: true })
  }
}

const GUARD = 'exec 3<&0 </dev/null; ( read -r _; kill $$ ) <&3 2>/dev/null & exec 3<&-; exec "$@"'

function spawnGuarded(binary: string, args: readonly string[]): ChildProcess {
  return spawn('/bin/sh', ['-c', GUARD, 'sh', binary, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
}

function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // Lets the watcher go; it would wait for us.
      child.stdin?.destroy()
      resolve(signal ?? code ?? 1)
    })
    child.once('error', () => resolve(1))
  })
}

async function readyUrl(child: ChildProcess, portsDir: string, output: () => string): Promise<string> {
  const portsFile = join(portsDir, `nats-server_${child.pid}.ports`)
  for (const end = performance.now() + START_MS; performance.now() < end; await sleep(5)) {
    if (child.exitCode !== null || child.signalCode !== null) break
    const url = output().includes('Server is ready') ? await readPorts(portsFile) : undefined
    if (url !== undefined) return url
  }
  child.kill('SIGKILL')
  throw new NatsServerError(
    'not-started',
    `nats-server did not start: ${output().trim().split('\n').slice(-3).join(' | ')}`,
  )
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
