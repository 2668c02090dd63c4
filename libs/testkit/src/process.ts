import { readdir, readFile } from 'node:fs/promises'
import { waitFor } from './wait-for.ts'

/** Stops a process as a whole (SIGSTOP) and resolves once none of its threads runs: the signal takes its time. */
export async function freezeProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await waitFor(() => isFrozen(pid), 5000, `process ${pid} to freeze`)
}

// The state is the field behind the name in parentheses (proc_pid_stat(5)): T is "stopped".
async function isFrozen(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`)
  const states = await Promise.all(
    threads.map(async (thread) => {
      const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
    }),
  )
  return states.every((state) => state === 'T')
}
