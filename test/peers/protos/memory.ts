import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Gives a process a way to be told to clean up: garbage is no part of what it keeps. For its NODE_OPTIONS. */
export const settles = `--expose-gc --import=data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }))")}`

/** What a process holds once it has cleaned up, in MB: its own share of memory (PSS), as the kernel counts it. */
export async function settledMb(pid: number): Promise<number> {
  for (let i = 0; i < 3; i++) {
    process.kill(pid, 'SIGUSR2')
    await sleep(700)
  }
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) / 1024
}
