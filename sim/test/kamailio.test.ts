import { expect, test } from 'vitest'
import { Kamailio, placesOf } from '../balancers/kamailio.ts'
import { World } from '../engine/world.ts'

function worldOf(count: number): World {
  return new World({
    seed: 7,
    proxies: Array.from({ length: count }, (_, i) => ({ id: `px${i + 1}` })),
    serviceMs: { INVITE: 10, BYE: 10, OPTIONS: 2 },
    traffic: { callsPerSecond: 1, ringMs: 1000, holdMs: 1000, ingresses: 1 },
  })
}

// kamailio#2698
test.each([
  [3, 34],
  [26, 25],
  [51, 50],
])('of 100 places for %i equals the last one has %i', (count, expected) => {
  const places = placesOf(Array.from({ length: count }, () => 50))
  expect(places).toHaveLength(100)
  expect(places.filter((i) => i === count - 1)).toHaveLength(expected)
})

test('a lost ping takes nearly all of a weight of 50, and it comes back in some twenty pings', () => {
  const world = worldOf(3)
  const kamailio = new Kamailio(world, { algorithm: 11, congestionControl: true })
  world.sim.runUntil(60_000)
  kamailio.loseProbe('px2')
  world.sim.runUntil(62_000)
  expect(kamailio.weightOf('px2')).toBeLessThan(15)
  world.sim.runUntil(100_000)
  expect(kamailio.weightOf('px2')).toBeGreaterThan(45)
})

test('a silent proxy is passed over after fr_timer, and its turns fall to the next one', () => {
  const world = worldOf(4)
  const kamailio = new Kamailio(world, { algorithm: 4 })
  world.proxy('px2').behaviour = { kind: 'silent' }
  const firsts = () => Array.from({ length: 4 }, () => kamailio.choose(0)[0])
  world.sim.runUntil(29_000)
  expect(firsts()).toContain('px2')
  world.sim.runUntil(32_000)
  expect(firsts()).not.toContain('px2')
})

test('who answers pings slower by its priority gets nothing under algorithm 13', () => {
  const world = worldOf(3)
  world.proxy('px3').speed = 0.01
  const kamailio = new Kamailio(world, { algorithm: 13 })
  world.sim.runUntil(30_000)
  const firsts = Array.from({ length: 30 }, () => kamailio.choose(0)[0])
  expect(new Set(firsts)).toEqual(new Set(['px1', 'px2']))
})
