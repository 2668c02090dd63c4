import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode, type Exit } from '@siplb/children'
import { waitFor } from './wait-for.ts'

export interface ServiceOptions {
  /** Written to a file of its own; JSON is YAML too. */
  readonly config?: object
  readonly configFile?: string
  readonly args?: readonly string[]
  /** On top of this process's own; undefined takes one away. */
  readonly env?: NodeJS.ProcessEnv
  /** How long it may take to say "ready". Default 15,000. */
  readonly readyMs?: number
}

export type LogLine = Readonly<Record<string, unknown>>

/** One of our services as a real process. */
export interface ServiceProcess extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** Where it serves /readyz and /metrics. */
  readonly httpPort: number
  readonly exited: Promise<Exit>
  /** Sends a signal and does not wait. */
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, and waits for the end. */
  stop(): Promise<Exit>
  /** All that it has logged, and what else it said. */
  log(): readonly LogLine[]
  output(): string
}

const root = join(import.meta.dirname, '..', '..', '..')

/** `node services/<name>/src/main.ts`; resolves when it logs "ready". Give `http.port: 0` in its config for a free port. */
export async function spawnService(name: string, options: ServiceOptions = {}): Promise<ServiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), `siplb-${name}-`))
  const file = options.configFile ?? join(folder, 'siplb.json')
  if (options.configFile === undefined) await writeFile(file, JSON.stringify(options.config ?? {}))
  const lines: string[] = []
  const program = join(root, 'services', name, 'src', 'main.ts')
  const child = startNode(program, ['--config', file, ...(options.args ?? [])], {
    env: { ...process.env, SIPLB_STATE_DIR: folder, ...options.env },
    onLine: (line) => lines.push(line),
  })
  const log = () => lines.flatMap(readLogLine)
  const dispose = async () => {
    child.kill('SIGKILL')
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const isReady = () => !child.isRunning() || log().some((line) => line['msg'] === 'ready')
    await waitFor(isReady, options.readyMs ?? 15_000, `${name} to be ready`)
    if (!child.isRunning()) throw new Error(`${name} ended at once`)
  } catch (error) {
    await dispose()
    throw new Error(`${name} did not start:\n${lines.join('\n')}`, { cause: error })
  }
  return {
    name,
    pid: child.pid,
    exited: child.exited,
    log,
    httpPort: log().reduce((port, line) => (typeof line['httpPort'] === 'number' ? line['httpPort'] : port), 0),
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM')
      return child.exited
    },
    output: () => lines.join('\n'),
    [Symbol.asyncDispose]: dispose,
  }
}

function readLogLine(line: string): LogLine[] {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? [{ ...value }] : []
  } catch {
    return []
  }
}
