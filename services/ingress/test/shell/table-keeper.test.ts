import { config as configSchema } from '@siplb/contracts'
import { createLogger } from '@siplb/runtime'
import { expect, it } from 'vitest'
import { TableKeeper } from '../../src/shell/table-keeper.ts'
import { connectBus } from '../ingress-under-test.ts'

const POOL = 'default'
const log = createLogger('ingress', 'test', { level: 'silent' })

async function keeper() {
  const bus = await connectBus('ingress', 'lb1')
  const tables = new TableKeeper(bus, undefined, log, () => 0)
  const list = (...proxies: [id: string, uri: string][]) =>
    tables.configure(
      configSchema.parse({ pools: { [POOL]: { proxies: proxies.map(([id, uri]) => ({ id, uri })) } } }).pools,
    )
  return { tables, list, [Symbol.asyncDispose]: () => bus.close() }
}

it('of a proxy that left the list it is still known where it is, until it comes back elsewhere', async () => {
  await using s = await keeper()
  const { tables } = s
  s.list(['px1', 'sip:192.0.2.1'], ['px2', 'sip:192.0.2.2'])
  s.list(['px2', 'sip:192.0.2.22'])
  expect(['px1', 'px2', 'px3'].map((id) => tables.uriOf(POOL, id))).toEqual([
    'sip:192.0.2.1',
    'sip:192.0.2.22',
    undefined,
  ])
  expect([...tables.formerUrisOf(POOL)]).toEqual(['sip:192.0.2.1'])
  expect(['px1', 'px2'].map(tables.listed(POOL).has)).toEqual([false, true])
  s.list(['px1', 'sip:192.0.2.11'], ['px2', 'sip:192.0.2.22'])
  expect([tables.uriOf(POOL, 'px1'), [...tables.formerUrisOf(POOL)]]).toEqual(['sip:192.0.2.11', []])
})

it('of the proxies that left, the last thousand are known', async () => {
  await using s = await keeper()
  const { tables } = s
  const some = (from: number) =>
    Array.from({ length: 600 }, (_, i): [string, string] => [`px${from + i}`, `sip:px${from + i}.example.com`])
  for (const from of [0, 600, 1200]) s.list(...some(from))
  expect([...tables.formerUrisOf(POOL)]).toHaveLength(1000)
  expect([tables.uriOf(POOL, 'px199'), tables.uriOf(POOL, 'px200')]).toEqual([undefined, 'sip:px200.example.com'])
})

it('of a pool that left the file it is still known where its proxies are', async () => {
  await using s = await keeper()
  s.list(['px1', 'sip:192.0.2.1'])
  s.tables.configure({})
  expect([s.tables.get(POOL), s.tables.uriOf(POOL, 'px1')]).toEqual([undefined, 'sip:192.0.2.1'])
})
