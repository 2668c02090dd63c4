import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
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

/**
 * A child process that does not outlive this one.
 *
 * C1. It ends when this process does, however that ends: a watcher in the shell that the child grows out of reads our end
 *     of a pipe, and sends SIGTERM when the pipe breaks. The shell `exec`s, so the process known here is the program itself.
 * C2. The watcher compares when the process was started (field 22 of proc_pid_stat(5)) before it kills: the number may be
 *     another's by then.
 * C3. It has a session of its own: Ctrl-C in a terminal reaches this process alone, which then ends its children in order.
 */
export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', command, ...args], {
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

// The watcher is a grandchild: a program may wait for all of its children, and would wait for this one too. Behind `&` a
// shell gives /dev/null as standard input, hence the other number.
const GUARD = `
look() { line=; read -r line <"/proc/$$/stat"; set -- \${line##*)}; since=\${20}; }
exec 3<&0 </dev/null
( (
  look; then=$since
  read -r _ <&3
  look; if [ "$since" = "$then" ]; then kill "$$"; fi
) & ) >/dev/null 2>&1
exec 3<&-
exec "$@"
`

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine)
}
