import { describe, expect, it } from 'vitest'
import type { Exit } from '@siplb/children'
import { restartDelayMs, supervise } from '../supervise.ts'

function program() {
  const exits: ((exit: Exit) => void)[] = []
  const launch = () => {
    const { promise: exited, resolve } = Promise.withResolvers<Exit>()
    exits.push(resolve)
    return Promise.resolve({ exited, kill: (signal: NodeJS.Signals) => resolve(signal) })
  }
  return { launch, exits }
}

describe('a supervised program', () => {
  it('is started again later and later when it keeps dying', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map(restartDelayMs)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  it('comes back when it dies, and not when it was stopped', async () => {
    const { launch, exits } = program()
    const said: string[] = []
    const supervised = await supervise({ name: 'it', launch, stopMs: 1000, say: (text) => said.push(text) })
    exits[0]?.(3)
    await expect.poll(() => exits.length, { timeout: 3000 }).toBe(2)
    await supervised.stop()
    await expect.poll(() => said, { timeout: 3000 }).toEqual(['it ended (3); starting it again in 0.5 s', 'it is back'])
    expect(exits).toHaveLength(2)
  })

  it('fails at once when it cannot be started the first time', async () => {
    const launch = () => Promise.reject(new Error('no such program'))
    await expect(supervise({ name: 'it', launch, stopMs: 1000, say: () => {} })).rejects.toThrow('no such program')
  })
})
