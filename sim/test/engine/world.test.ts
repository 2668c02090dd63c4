import { expect, test } from 'vitest'
import { RoundRobin } from '../../balancers/peers.ts'
import { Siplb } from '../../balancers/siplb.ts'
import { mean, responseTimes } from '../../engine/figures.ts'
import { World, type Balancer } from '../../engine/world.ts'

const SERVICE_MS = 10
/** To the proxy, and back. */
const NETWORK_MS = 0.4

function worldOf(load: number, seed = 7, speeds: readonly number[] = [1]): World {
  const callsPerSecond = (load * speeds.length * 1000) / (2 * SERVICE_MS)
  return new World({
    seed,
    proxies: speeds.map((speed, i) => ({ id: `px${i + 1}`, speed })),
    serviceMs: { INVITE: SERVICE_MS, BYE: SERVICE_MS, OPTIONS: 1 },
    traffic: { callsPerSecond, ringMs: 3000, holdMs: 20_000, ingresses: 1 },
  })
}

function played(world: World, balancer: Balancer, ms: number): World {
  world.start(balancer)
  world.sim.runUntil(ms)
  return world
}

// Arrivals and service times are exponential and there is one worker: its mean time in the system is S / (1 - rho).
test.each([0.3, 0.6, 0.8])('a proxy at load %f takes as long as an M/M/1 queue, within a twentieth', (load) => {
  const world = worldOf(load)
  played(world, new RoundRobin(world), 600_000)
  const found = mean(responseTimes(world, { from: 100_000, to: 600_000 })) - NETWORK_MS
  const theory = SERVICE_MS / (1 - load)
  expect(Math.abs(found / theory - 1)).toBeLessThan(0.05)
})

test('a proxy is busy for the part of the time that its load says', () => {
  const world = worldOf(0.6)
  played(world, new RoundRobin(world), 200_000)
  expect(world.proxy('px1').busyMs / 200_000).toBeCloseTo(0.6, 1)
})

test('the same seed tells the same story, and another seed another one', () => {
  const story = (seed: number) => {
    const world = worldOf(0.7, seed, [1, 1, 2])
    return played(world, new Siplb(world), 6_000).samples
  }
  expect(story(7)).toEqual(story(7))
  expect(story(8)).not.toEqual(story(7))
})

test('callers behave the same under every balancer', () => {
  const arrivals = (make: (world: World) => Balancer) => {
    const world = worldOf(0.5, 7, [1, 1])
    return played(world, make(world), 10_000).chosen.map(({ at }) => at)
  }
  expect(arrivals((world) => new Siplb(world))).toEqual(arrivals((world) => new RoundRobin(world)))
})

test('an INVITE that is refused with 503 goes to the next proxy', () => {
  const world = worldOf(0.2, 7, [1, 1])
  world.proxy('px1').behaviour = { kind: 'refuse', status: 503, afterMs: 1, method: 'INVITE' }
  played(world, new RoundRobin(world), 10_000)
  const invites = world.samples.filter(({ method }) => method === 'INVITE')
  expect(new Set(invites.map(({ proxy }) => proxy))).toEqual(new Set(['px2']))
  expect(world.failed).toBe(0)
})
