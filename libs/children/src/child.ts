import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** From SIGTERM to SIGKILL, when this process is gone. Default 15. */
  readonly graceSeconds?: number
  /** What it says on standard output and standard error, line by line. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

/** Exit code, or the signal that ended it. */
export type Exit = number | NodeJS.Signals

export interface Child {
  readonly pid: number
  /** Resolves when it is gone and its last line was heard. */
  readonly exited: Promise<Exit>
  isRunning(): boolean
  /** False when it is gone already. */
  kill(signal: NodeJS.Signals): boolean
}

const GRACE_SECONDS = 15
const guard = join(import.meta.dirname, 'guard.sh')

/**
 * A child process that does not outlive this one.
 *
 * C1. It ends when this process does, however that ends: a watcher in the shell that the child grows out of reads our end
 *     of a pipe, and when the pipe breaks sends SIGTERM, later SIGKILL. The shell `exec`s, so the process known here is the program itself.
 * C2. The watcher compares when the process was started (field 22 of proc_pid_stat(5)) before it kills: the number may be
 *     another's by then.
 * C3. It has a session of its own: Ctrl-C in a terminal reaches this process alone, which then ends its children in order.
 */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn('/bin/sh', [guard, String(options.graceSeconds ?? GRACE_SECONDS), command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  // Written to by nobody; broken when the child is gone.
  child.stdin.on('error', () => {})
  child.once('exit', () => child.stdin.destroy())
  eachLine(child.stdout, (line) => options.onLine?.(line, 'stdout'))
  eachLine(child.stderr, (line) => options.onLine?.(line, 'stderr'))
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code ?? 1))
    child.once('error', () => resolve(1))
  })
  return {
    pid: child.pid ?? 0,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => child.kill(signal),
  }
}

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine)
}
