import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 10

/**
 * Resolves with the first value of `condition` that is neither false nor undefined; asks every 10 ms.
 * Rejects after `timeoutMs`, saying what it had waited for: a function is asked only then.
 */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  timeoutMs: number,
  what: string | (() => string) = condition.toString(),
): Promise<T> {
  for (const end = performance.now() + timeoutMs; ; await sleep(EVERY_MS)) {
    const value = await condition()
    if (value !== false && value !== undefined) return value
    if (performance.now() > end)
      throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`)
  }
}
