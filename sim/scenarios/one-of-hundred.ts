import { isDeepStrictEqual } from 'node:util'
import type { ProxyRecord } from '@siplb/contracts'
import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import type { Scenario } from '../scenario.ts'
import { equals, play } from './setting.ts'

const CHANGED = 'px50'
const END = 30_000

export const oneOfHundred: Scenario = {
  name: 'one-of-hundred',
  shows: 'Changing the base weight of one of a hundred proxies touches nothing that is known of the others.',
  run(seed) {
    const setting = { seed, speeds: equals(100), load: 0.5 }
    const { world, balancer } = play(setting, (one) => new Siplb(one), { end: END })
    const kamailio = play(setting, (one) => new Kamailio(one, { algorithm: 11, congestionControl: true }), { end: END })
    kamailio.balancer.reload()
    const others = world.proxies.map(({ id }) => id).filter((id) => id !== CHANGED)
    const kept = others.filter((id) => kamailio.balancer.knows(id)).length
    const touched = touchedBy(balancer, others, world.sim.now)
    const row = {
      what: 'base weight of one of 100 changed: others of which a figure, state or weight moves by it',
      peers: { 'Kamailio, reload': `${others.length - kept} lose their latencies` },
      ours: `${touched} of ${others.length}`,
      promise: 'none',
      held: touched === 0,
    }
    return { rows: [row] }
  },
}

function touchedBy({ pool }: Siplb, others: readonly string[], now: number): number {
  const rows = () => new Map(pool.weigh(now).proxies.map((proxy) => [proxy.id, proxy]))
  const before = rows()
  pool.put(changed, now)
  const after = rows()
  if (after.get(CHANGED)?.baseWeight !== changed.weight) throw new Error(`the weight of ${CHANGED} did not change`)
  return others.filter((id) => !isDeepStrictEqual(before.get(id), after.get(id))).length
}

const changed: ProxyRecord = {
  ...{ pool: 'default', id: CHANGED, uri: `sip:${CHANGED}.example.com`, weight: 40, tier: 1 },
  ...{ origin: 'command', adminState: 'enabled', actor: 'cli/operator@example' },
}
