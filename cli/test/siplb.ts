import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../src/main.ts')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `siplb` as the operator does, in an environment of its own. */
export function siplb(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: { ...env } }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

export interface Running {
  lines(): string[]
  /** Ends it as Ctrl-C does; resolves with the exit code. */
  interrupt(): Promise<number | null>
}

export function startSiplb(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [main, ...args], { env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return {
    lines: () => text.split('\n').filter((line) => line !== ''),
    interrupt() {
      child.kill('SIGINT')
      return ended
    },
  }
}
