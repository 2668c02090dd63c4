import { readdirSync, readFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/**
 * Compiler and garbage collector of V8 work in threads of their own. Where there are few cores they take turns with the thread that carries
 * calls, which then waits for some hundred milliseconds at each collection of a large heap: they get what it leaves. On other systems than
 * Linux nothing is done.
 */
export function yieldToCalls(): void {
  const tasks = '/proc/self/task'
  for (const thread of listOf(tasks)) {
    try {
      // Linux gives a priority to each thread, under its own number.
      if (readFileSync(`${tasks}/${thread}/comm`, 'latin1').startsWith('V8Worker'))
        setPriority(Number(thread), constants.priority.PRIORITY_LOW)
    } catch {
      // It has ended, or may not be changed: all goes on as before.
    }
  }
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
