import { expect, it } from 'vitest'
import { createBusCounters, createRegistry } from '@siplb/runtime'

it('a registry holds the figures of the process', async () => {
  const text = await createRegistry().metrics()
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds \S+$/m)
})

it('registries know nothing of each other', async () => {
  const [one, other] = [createRegistry(), createRegistry()]
  createBusCounters(one).published('evt.load.{pool}')
  createBusCounters(other)
  expect(await one.metrics()).toContain('siplb_bus_published_total{channel="evt.load.{pool}"} 1')
  expect(await other.metrics()).not.toContain('evt.load')
})

it('counts what happens on the bus by channel, and what was dropped by why', async () => {
  const registry = createRegistry()
  const bus = createBusCounters(registry)
  bus.published('evt.load.{pool}')
  bus.published('evt.load.{pool}')
  bus.unpublished('evt.load.{pool}')
  bus.received('req.route')
  bus.dropped('req.route', 'malformed')
  bus.dropped('req.route', 'handler')
  bus.dropped('siplb_weights', 'handler')
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('siplb_bus'))
  expect(lines).toEqual([
    'siplb_bus_published_total{channel="evt.load.{pool}"} 2',
    'siplb_bus_unpublished_total{channel="evt.load.{pool}"} 1',
    'siplb_bus_received_total{channel="req.route"} 1',
    'siplb_bus_dropped_total{channel="req.route",problem="malformed"} 1',
    'siplb_bus_dropped_total{channel="req.route",problem="handler"} 1',
    'siplb_bus_dropped_total{channel="siplb_weights",problem="handler"} 1',
  ])
})
