import { createNatsBus } from '@siplb/bus'
import { natsConfig, weightsShadowed } from '@siplb/contracts'
import { newInstance, version } from '@siplb/runtime'
import { startNats, waitFor } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { ran } from './ran.ts'
import { startWeigher, tableOf } from './weigher.ts'

const live = tableOf('main', 7, [{}, { weight: 50, reason: 'load 0.8, target 0.7' }])
const shadow = { ...tableOf('main', 3, [{}, { weight: 100 }]), policy: 'two-choices' as const }

it('shows weights and would-be weights side by side, for people and for programs', async () => {
  await using nats = await startNats()
  await using _weigher = await startWeigher(nats.url, [live])
  const bus = createNatsBus({
    config: natsConfig.parse({ servers: [nats.url] }),
    ...{ service: 'tester', instance: newInstance(), version, isService: false },
    log: { info() {}, warn() {} },
    observer: { published() {}, unpublished() {}, received() {}, dropped() {} },
  })
  await waitFor(() => bus.isConnected(), 5000, 'the bus')
  const repeated = setInterval(() => bus.publish(weightsShadowed, { pool: 'main' }, shadow), 100)
  const { code, printed } = await ran(['weights', '--shadow', '--nats', nats.url])
  expect(code).toBe(0)
  expect(printed.split('\n')).toEqual([
    'pool main: least-work; its shadow: two-choices; shares are as drawn by weight, since there are no requests',
    'proxy  state  would be  weight  would be   share  would be  reason                would be',
    'px1    up     up           100       100  66.7 %      50 %  as configured         the same',
    'px2    up     up            50       100  33.3 %      50 %  load 0.8, target 0.7  as configured',
  ])
  const json = await ran(['weights', '--shadow', '--pool', 'main', '-o', 'json', '--nats', nats.url])
  expect(JSON.parse(json.printed)).toEqual([
    {
      ...{ pool: 'main', live, shadow },
      proxies: [expect.objectContaining({ id: 'px1' }), expect.objectContaining({ weight: 50, shadowWeight: 100 })],
    },
  ])
  clearInterval(repeated)
  await bus.close()
})

it('says how to have a shadow where none is heard', async () => {
  await using nats = await startNats()
  await using _weigher = await startWeigher(nats.url, [live])
  expect(await ran(['weights', '--shadow', '--nats', nats.url])).toMatchObject({
    code: 1,
    remarks: expect.stringMatching(
      /^waiting for .*\nno shadow of main was heard within 6 s: give the pool one .*pools\.main\.shadow\)$/,
    ),
  })
})
