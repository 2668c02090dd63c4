import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'

/** Waits until this value is read; fails with the last one that was. (`expect.poll` knows no concurrent tests.) */
export async function eventually<T>(read: () => T | Promise<T>, expected: NoInfer<T>, timeoutMs = 8000): Promise<void> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (isDeepStrictEqual(value, expected)) return
    if (performance.now() > end) expect(value).toEqual(expected)
    await sleep(20)
  }
}
