import { execFileSync } from 'node:child_process'

/**
 * The balancer has one core for itself, and the load tools have the other ones: else they would take each other's time, and a faster
 * balancer would only show as a busier caller.
 */
export const BALANCER_CORE = '0'

export function toolCores(cores: number): string {
  return cores < 3 ? '1' : `1-${cores - 1}`
}

/** All threads of a running process; those that it starts later go with them. */
export function pin(pid: number, cores: string): void {
  execFileSync('taskset', ['-acp', cores, String(pid)], { stdio: 'ignore' })
}
