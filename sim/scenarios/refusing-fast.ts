import { Siplb } from '../balancers/siplb.ts'
import { share } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Row, Scenario } from '../scenario.ts'
import { PEERS } from './balancers.ts'
import { equals, play, type Make, type Setting } from './setting.ts'
import { percent } from './words.ts'

const REFUSING = 'px8'
const REFUSES = 60_000
const END = 180_000
const AFTER = { from: REFUSES + 2000, to: END }
const ITS_WEIGHT = 1 / 8

export const refusingFast: Scenario = {
  name: 'refusing-fast',
  shows: 'A proxy that answers 404 to every INVITE at once is never busy, and still gets no more than its weight.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(8), load: 0.8 }
    const peers = PEERS.map((make) => refused(setting, make))
    const rows = [
      row(
        'one ingress',
        refused(setting, (world) => new Siplb(world)),
        peers,
      ),
      row(
        'four ingresses',
        refused({ ...setting, ingresses: 4 }, (world) => new Siplb(world)),
        [],
      ),
    ]
    return { rows }
  },
}

interface Refused {
  readonly name: string
  readonly part: number
}

function refused(setting: Setting, make: Make): Refused {
  const happen = (world: World) =>
    void (world.proxy(REFUSING).behaviour = { kind: 'refuse', status: 404, afterMs: 1, method: 'INVITE' })
  const { world, balancer } = play(setting, make, { end: END, event: { at: REFUSES, happen } })
  return { name: balancer.name, part: share(world, REFUSING, AFTER) }
}

function row(where: string, { part }: Refused, peers: readonly Refused[]): Row {
  return {
    what: `one of eight answers 404 at once, ${where}: its share of new requests from 2 s on`,
    peers: Object.fromEntries(peers.map((peer) => [peer.name, percent(peer.part)])),
    ours: percent(part),
    promise: '≤ its weight, 12.5 %',
    held: part <= ITS_WEIGHT,
  }
}
