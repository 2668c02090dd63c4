import { Siplb } from '../balancers/siplb.ts'
import { LeastCalls } from '../balancers/peers.ts'
import { quantile, responseTimes, share } from '../engine/figures.ts'
import type { Row, Scenario } from '../scenario.ts'
import { equals, INVITE_MS, play, UNIT_MS, type Make } from './setting.ts'
import { percent } from './words.ts'

const TIMES = [20, 200, 2000]
const SPAN = { from: 60_000, to: 360_000 }
const MOST = 0.1

export const ringing: Scenario = {
  name: 'ringing',
  shows: 'How long callees let it ring is no work of the proxies, and changes nothing.',
  run(seed) {
    const ours = TIMES.map((times) => rung(seed, times, (world) => new Siplb(world)))
    const peer = TIMES.map((times) => rung(seed, times, (world) => new LeastCalls(world)))
    const p99 = change(ours.map((one) => one.p99))
    const off = Math.max(...ours.flatMap(({ shares }) => shares.map((part) => Math.abs(4 * part - 1))))
    const rows: Row[] = [
      {
        what: 'ringing of 20, 200 and 2,000 times the service time, load 0.8: p99 of new requests, in units',
        peers: { 'least calls': p99s(peer) },
        ours: `${p99s(ours)} (${percent(p99)} apart)`,
        promise: '≤ 10 % apart',
        held: p99 <= MOST,
      },
      {
        what: 'the same: the most that a share is off a quarter',
        peers: {
          'least calls': percent(
            Math.max(...peer.flatMap(({ shares }) => shares.map((part) => Math.abs(4 * part - 1)))),
          ),
        },
        ours: percent(off),
        promise: '≤ 10 %',
        held: off <= MOST,
      },
    ]
    return { rows }
  },
}

interface Rung {
  readonly p99: number
  readonly shares: readonly number[]
}

function rung(seed: number, times: number, make: Make): Rung {
  const { world } = play({ seed, speeds: equals(4), load: 0.8, ringMs: times * INVITE_MS }, make, { end: SPAN.to })
  return {
    p99: quantile(responseTimes(world, SPAN, 'INVITE'), 0.99) / UNIT_MS,
    shares: world.proxies.map(({ id }) => share(world, id, SPAN)),
  }
}

function p99s(all: readonly Rung[]): string {
  return all.map(({ p99 }) => p99.toFixed(1)).join(', ')
}

function change(values: readonly number[]): number {
  return Math.max(...values) / Math.min(...values) - 1
}
