import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { config as configSchema, weightsChanged } from '@siplb/contracts'
import { createLogger } from '@siplb/runtime'
import { startNats } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { TableKeeper } from '../../src/shell/table-keeper.ts'
import { connectBus } from '../ingress-under-test.ts'
import { weightTable } from '../weight-tables.ts'

const POOL = 'default'
const ROWS = 1100
/** More than the steps in which such a table is taken over. */
const TURNS = 24

it('a pool that leaves the file while a large table of it is taken over stays away, whenever that is', async () => {
  await using nats = await startNats()
  const [ingress, weigher] = [await connectBus('ingress', 'lb1', nats.url), await connectBus('weigher', 'w1', nats.url)]
  const ids = Array.from({ length: ROWS }, (_, i) => ({ id: `px${i}`, uri: `sip:px${i}.example.com` }))
  const { pools } = configSchema.parse({ pools: { [POOL]: { proxies: ids } } })
  let used = 0
  for (let turns = 0; turns < TURNS; turns++) {
    const tables = new TableKeeper(ingress, undefined, createLogger('ingress', 'test', { level: 'silent' }), () => 0)
    tables.configure(pools)
    tables.start()
    const heard = new Promise((resolve) => void ingress.subscribe(weightsChanged, { pool: POOL }, resolve))
    await sleep(5)
    weigher.publish(weightsChanged, { pool: POOL }, { ...weightTable(ids), pool: POOL, epoch: 1, seq: 1 })
    await heard
    for (let i = 0; i < turns; i++) await turn()
    if (tables.get(POOL)?.epoch === 1) used += 1
    tables.configure({})
    await sleep(20)
    expect(tables.get(POOL), `removed after ${turns} turns`).toBeUndefined()
  }
  // Both before and after it was used.
  expect(used).toBeGreaterThan(0)
  expect(used).toBeLessThan(TURNS)
  await Promise.all([ingress.close(), weigher.close()])
})
