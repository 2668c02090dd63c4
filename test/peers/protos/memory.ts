import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const onSignal = "process.on('SIGUSR2', () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }))"

/**
 * Gives a process a way to be told to clean up: garbage is no part of what it keeps, nor is what glibc's malloc holds back of what was
 * freed, because of small pieces in between.
 */
export const settles = {
  NODE_OPTIONS: `--expose-gc --import=data:text/javascript,${encodeURIComponent(onSignal)}`,
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '16384',
  MALLOC_TRIM_THRESHOLD_: '16384',
}

/** What a process holds once it has cleaned up, in MB: its own share of memory (PSS), as the kernel counts it. */
export async function settledMb(pid: number): Promise<number> {
  for (let i = 0; i < 3; i++) {
    process.kill(pid, 'SIGUSR2')
    await sleep(700)
  }
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) / 1024
}
