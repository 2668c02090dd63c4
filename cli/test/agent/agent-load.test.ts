import { expect, it } from 'vitest'
import { loadBetween } from '../../src/agent/domain/agent-load.ts'
import type { Sighting } from '../../src/agent/domain/sighting.ts'

const process = { pid: 10, comm: 'kamailio', parent: 1, cpuMs: 0, startedTicks: 500 }
const socket = { port: 5060, queueBytes: 0, inode: '7', drops: 3 }
const before: Sighting = {
  at: 1000,
  processes: [process],
  busyMs: new Map(Array.from({ length: 8 }, (_, i) => [i, 0])),
  cpus: 16,
  memory: { usedBytes: 100, limitBytes: 1000 },
  sockets: [socket],
  bufferBytes: 200_000,
}

/** A second later, with these parts of a core for its threads. */
function after(parts: readonly number[], change: Partial<Sighting> = {}): Sighting {
  const cpuMs = parts.reduce((sum, part) => sum + part * 1000, 0)
  const busyMs = new Map(parts.map((part, i) => [i, part * 1000]))
  return { ...before, at: 2000, processes: [{ ...process, cpuMs }], busyMs, ...change }
}

const loadAfter = (parts: readonly number[], change?: Partial<Sighting>) => loadBetween(before, after(parts, change))

it('is no load to do nothing', () => {
  expect(loadAfter([0, 0, 0, 0, 0, 0, 0, 0])?.load).toBe(0)
})

it('is at its end when all workers are, however many CPUs there are and whoever waits beside them', () => {
  expect(loadAfter([1, 1, 1, 1, 0, 0, 0, 0])).toMatchObject({ load: 1, figures: { cpu: 0.25, busy: 1 } })
  expect(loadAfter([0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0])?.load).toBe(0.5)
})

it('is not at its end when one worker of many is', () => {
  expect(loadAfter([1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])?.load).toBeCloseTo(0.63, 2)
})

it('is at its end when its threads use all CPUs together, each a little', () => {
  expect(
    loadAfter(
      Array.from({ length: 8 }, () => 0.25),
      { cpus: 2 },
    ),
  ).toMatchObject({ load: 1, figures: { cpu: 1 } })
})

it('lets memory tell in its last fifth alone', () => {
  const withMemory = (usedBytes: number) => loadAfter([0], { memory: { usedBytes, limitBytes: 1000 } })?.load
  expect([700, 800, 900, 1000].map(withMemory)).toEqual([0, 0, 0.5, 1])
})

it('tells the fullest receive queue, and a full one where datagrams were lost', () => {
  const withSocket = (change: object) => loadAfter([0], { sockets: [socket, { ...socket, ...change }] })?.load
  expect(withSocket({ queueBytes: 100_000 })).toBe(0.5)
  expect(withSocket({ queueBytes: 900_000 })).toBe(1)
  expect(withSocket({ drops: 4 })).toBe(1)
  expect(withSocket({ inode: '8', drops: 90 })).toBe(0)
})

it('tells nothing across a restart, even under the same number', () => {
  expect(loadAfter([1], { processes: [{ ...process, startedTicks: 900, cpuMs: 100 }] })).toBeUndefined()
})
