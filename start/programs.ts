import { join } from 'node:path'
import { startNode, type Child } from '@siplb/children'
import { fieldOf } from './log-line.ts'
import type { Running } from './supervise.ts'

const root = join(import.meta.dirname, '..')
const READY_MS = 30_000
const KEPT_LINES = 20

export interface ProgramOptions {
  readonly name: string
  /** Path from the root of the project, and arguments. */
  readonly program: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void
  /** Does this line say that it serves now? */
  readonly isReady: (line: string) => boolean
}

/** Runs a program of ours as a child process. Resolves once it serves; rejects, with its last words, when it ends before. */
export async function launch(options: ProgramOptions): Promise<Running & { readonly child: Child }> {
  const ready = Promise.withResolvers<'ready' | 'late'>()
  const said: string[] = []
  const child = startNode(join(root, options.program), options.args, {
    ...(options.env === undefined ? {} : { env: options.env }),
    onLine(line, stream) {
      if (said.length < KEPT_LINES) said.push(line)
      options.onLine(line, stream)
      if (options.isReady(line)) ready.resolve('ready')
    },
  })
  const late = setTimeout(() => ready.resolve('late'), READY_MS)
  const outcome = await Promise.race([ready.promise, child.exited])
  clearTimeout(late)
  if (outcome !== 'ready') {
    child.kill('SIGKILL')
    const how = outcome === 'late' ? `was not ready in ${READY_MS / 1000} s` : `ended at once (${outcome})`
    throw new Error(`${options.name} ${how}: ${said.slice(-5).join('\n')}`)
  }
  return { child, exited: child.exited, kill: (signal) => void child.kill(signal) }
}

/** What every service logs once it serves. */
export function saysReady(line: string): boolean {
  return fieldOf(line, 'msg') === 'ready'
}
