import type { ProxySettings } from '../engine/proxy-model.ts'
import { World, type Balancer } from '../engine/world.ts'

/** Response times are told in units of work: the mean service time of a BYE. Here it is 10 ms; only network and timers notice. */
export const UNIT_MS = 10
const INVITE_UNITS = 1.75
const serviceMs = { INVITE: INVITE_UNITS * UNIT_MS, BYE: UNIT_MS, OPTIONS: 0.3 * UNIT_MS }
/** Of a call: its INVITE and its BYE. */
const CALL_MS = (INVITE_UNITS + 1) * UNIT_MS
export const INVITE_MS = INVITE_UNITS * UNIT_MS

export interface Setting {
  readonly seed: number
  readonly speeds: readonly number[]
  /** Of all proxies together: the part of their time that calls take. */
  readonly load: number
  readonly ingresses?: number
  readonly ringMs?: number
  readonly baseWeights?: readonly number[]
}

export type Make = (world: World) => Balancer

export function equals(count: number): number[] {
  return Array.from({ length: count }, () => 1)
}

export function worldOf({ seed, speeds, load, ingresses = 1, ringMs = 3000, baseWeights = [] }: Setting): World {
  const capacity = speeds.reduce((sum, speed) => sum + speed, 0)
  const proxies = speeds.map((speed, i): ProxySettings => {
    const baseWeight = baseWeights[i]
    return { id: `px${i + 1}`, speed, ...(baseWeight === undefined ? {} : { baseWeight }) }
  })
  const callsPerSecond = (load * capacity * 1000) / CALL_MS
  return new World({ seed, proxies, serviceMs, traffic: { callsPerSecond, ringMs, holdMs: 20_000, ingresses } })
}

/** What is done to the proxies, and when. */
export interface Event {
  readonly at: number
  happen(world: World): void
}

/** Runs a balancer until `end`, and more seconds for the answers that are still to come. */
export function play<B extends Balancer>(
  setting: Setting,
  make: (world: World) => B,
  { end, event }: { end: number; event?: Event },
): { readonly world: World; readonly balancer: B } {
  const world = worldOf(setting)
  const balancer = make(world)
  world.start(balancer)
  if (event !== undefined) world.sim.after(event.at, () => event.happen(world))
  world.sim.runUntil(end)
  return { world, balancer }
}
