import type { Bus } from '@siplb/bus'
import { BusError } from '@siplb/bus'
import {
  batchLimits,
  routeAnswered,
  routeQuestion,
  routeQuestionTo,
  weightsChanged,
  type RouteAnswer,
  type RouteRequest,
  type WeightTable,
} from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { connect } from 'nats'
import { describe, expect, it } from 'vitest'
import { startInstallation, type LocationUnderTest } from '../location-under-test.ts'
import { factsOf, tableOf } from '../tables.ts'

const pools = { default: { proxies: [{ id: 'px1', uri: 'sip:10.0.0.1' }] } }

const ask = (bus: Bus, requests: RouteRequest['requests'], ahead?: RouteRequest['ahead']) =>
  bus.request(routeQuestion, {}, { ingress: bus.instance, requests, ...(ahead === undefined ? {} : { ahead }) }, 2000)

const firstOf = (answer: RouteAnswer | undefined) =>
  answer?.outcome === 'routed' ? answer.candidates[0]?.proxy : undefined

/** Serving takes effect a moment after it was asked for. */
async function untilServed(bus: Bus): Promise<void> {
  await waitFor(() => ask(bus, []).then(Boolean, () => false), 5000, 'a location to answer')
}

async function say(bus: Bus, table: WeightTable, ...locations: LocationUnderTest[]): Promise<void> {
  bus.publish(weightsChanged, { pool: table.pool }, table)
  for (const { tables } of locations) await waitFor(() => tables.snapshots.get(table.pool)?.seq === table.seq, 5000)
}

describe('a location', () => {
  it('answers by the weights of the file, and by those of a table as soon as it is published', async () => {
    await using installation = await startInstallation()
    const location = await installation.location(pools)
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    expect((await ask(bus, [factsOf('1')])).answers).toEqual([
      {
        outcome: 'routed',
        id: '1',
        pool: 'default',
        epoch: 0,
        seq: 0,
        policy: 'least-work',
        pick: 'least-work',
        candidates: [{ proxy: 'px1', uri: 'sip:10.0.0.1', weight: 100 }],
      },
    ])
    await say(bus, tableOf({ px1: 0, px2: 10, px3: 30 }, { epoch: 4, seq: 2, policy: 'weighted-random' }), location)
    const counts = { px2: 0, px3: 0 }
    for (let batch = 0; batch < 24; batch++) {
      const requests = Array.from({ length: 500 }, (_, i) => factsOf(`${batch}-${i}`))
      const { answers, location: who } = await ask(bus, requests)
      expect(who).toBe('location-1')
      expect(answers.map(({ id }) => id)).toEqual(requests.map(({ id }) => id))
      for (const answer of answers) {
        expect(answer).toMatchObject({ outcome: 'routed', epoch: 4, seq: 2 })
        const first = firstOf(answer)
        if (first === 'px2' || first === 'px3') counts[first] += 1
      }
    }
    expect(counts.px2 + counts.px3).toBe(12_000)
    expect(Math.abs(counts.px2 - 3000)).toBeLessThan(4.5 * Math.sqrt(12_000 * 0.25 * 0.75))
  })

  it('says when no pool fits, and when nobody in the pool can take the request', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ calls: { match: { method: 'INVITE' } } })
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    await say(bus, tableOf({ px1: 0 }, { pool: 'calls' }), location)
    const { answers } = await ask(bus, [factsOf('1'), factsOf('2', { method: 'MESSAGE' })])
    expect(answers).toEqual([
      { outcome: 'no-proxy', id: '1', pool: 'calls' },
      { outcome: 'no-pool', id: '2' },
    ])
  })

  it('follows a reload of the pools: what they match, and what rendezvous hashes', async () => {
    await using installation = await startInstallation()
    const proxies = Array.from({ length: 8 }, (_, i) => ({ id: `px${i}`, uri: `sip:10.0.0.${i}` }))
    const calls = { policy: 'rendezvous', proxies }
    const location = await installation.location({ calls: { ...calls, match: { method: 'INVITE' } } })
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    const proxiesOf = async (method: string) => {
      const requests = Array.from({ length: 50 }, (_, i) => factsOf(`${i}`, { method, from: 'sip:bob@example.org' }))
      return new Set((await ask(bus, requests)).answers.map(firstOf))
    }
    expect((await proxiesOf('INVITE')).size).toBeGreaterThan(4)
    expect(await proxiesOf('MESSAGE')).toEqual(new Set([undefined]))
    location.configure({ calls: { ...calls, match: { method: 'MESSAGE' }, rendezvousKey: 'from' } })
    expect((await proxiesOf('MESSAGE')).size).toBe(1)
    expect(await proxiesOf('MESSAGE')).not.toContain(undefined)
    expect(await proxiesOf('INVITE')).toEqual(new Set([undefined]))
  })

  it('gives choices ahead with a table’s number and a time to live, and none of a pool that it does not know', async () => {
    await using installation = await startInstallation()
    const location = await installation.location(pools)
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    await say(bus, tableOf({ px1: 1, px2: 1, px3: 2 }, { epoch: 2, seq: 3, policy: 'smooth-round-robin' }), location)
    const { ahead, answers } = await ask(bus, [], { pool: 'default', count: 40 })
    expect(answers).toEqual([])
    expect(ahead).toMatchObject({ pool: 'default', epoch: 2, seq: 3, pick: 'first', ttlMs: 1000 })
    expect(ahead?.choices.filter(([first]) => first?.proxy === 'px3')).toHaveLength(20)
    expect(ahead).not.toHaveProperty('compact')
    expect((await ask(bus, [], { pool: 'nobody', count: 1 })).ahead).toBeUndefined()
  })

  it('names each candidate of choices ahead once where that was asked for', async () => {
    await using installation = await startInstallation()
    const location = await installation.location(pools)
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    await say(bus, tableOf({ px1: 1, px2: 1 }, { epoch: 2, seq: 3, policy: 'smooth-round-robin' }), location)
    const { ahead } = await ask(bus, [], { pool: 'default', count: 40, compact: true })
    const { candidates = [], indexes = [] } = ahead?.compact ?? {}
    expect(ahead?.choices).toEqual([])
    expect(candidates.map(({ proxy }) => proxy).toSorted()).toEqual(['px1', 'px2'])
    expect(indexes).toHaveLength(40)
    expect(indexes.filter(([first = 0]) => candidates[first]?.proxy === 'px1')).toHaveLength(20)
  })

  it('refuses a malformed question with 400, counts it, and answers the next one', async () => {
    await using installation = await startInstallation()
    const location = await installation.location(pools)
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    const nc = await connect({ servers: installation.nats.url })
    const bodies = [
      '{',
      '[]',
      '{"ingress":"x"}',
      '{"ingress":"x","requests":[{"id":"1"}]}',
      '\xff',
      JSON.stringify({ ingress: 'x', requests: Array(501).fill(factsOf('1')) }),
    ]
    for (const body of bodies) {
      const { headers } = await nc.request('siplb.v1.req.route', body, { timeout: 2000 })
      expect(headers?.get('Nats-Service-Error-Code')).toBe('400')
      expect(headers?.get('Nats-Service-Error')).not.toBe('')
    }
    await nc.close()
    expect(await location.registry.metrics()).toContain(
      `siplb_bus_dropped_total{channel="req.route",problem="malformed"} ${bodies.length}`,
    )
    expect(firstOf((await ask(bus, [factsOf('1')])).answers[0])).toBe('px1')
  })

  it('is found by the NATS services protocol', async () => {
    await using installation = await startInstallation()
    await installation.location(pools, { instance: 'location-7' })
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    const nc = await connect({ servers: installation.nats.url })
    const reply = await nc.request('$SRV.PING.siplb-location', undefined, { timeout: 2000 })
    expect(reply.json()).toMatchObject({ name: 'siplb-location', metadata: { instance: 'location-7' } })
    const info = await nc.request('$SRV.INFO.siplb-location', undefined, { timeout: 2000 })
    expect(info.string()).toContain('siplb.v1.req.route.location-7')
    await nc.close()
  })

  it('tells everybody the lists that it gave, ahead or for a request, in batches', async () => {
    await using installation = await startInstallation()
    await installation.location(pools)
    const bus = await installation.bus('ingress', 'ingress-9')
    const nc = await connect({ servers: installation.nats.url })
    let messages = 0
    nc.subscribe('siplb.v1.evt.route.answered', { callback: () => (messages += 1) })
    const heard: { ingress: string; answer: RouteAnswer }[] = []
    bus.subscribe(routeAnswered, {}, ({ data }) => heard.push(data))
    await untilServed(bus)
    const requests = Array.from({ length: 100 }, (_, i) => factsOf(`${i}`))
    const { answers } = await ask(bus, requests, { pool: 'default', count: 50 })
    await waitFor(() => heard.length === 150, 5000)
    expect(heard.slice(0, 100)).toEqual(answers.map((answer) => ({ ingress: 'ingress-9', answer })))
    expect(heard.slice(100).every(({ answer }) => answer.outcome === 'routed' && answer.id === '')).toBe(true)
    await nc.flush()
    expect(messages).toBe(Math.ceil(150 / batchLimits.events))
    await nc.close()
  })

  it('counts what it decided', async () => {
    await using installation = await startInstallation()
    const { registry } = await installation.location({ calls: { match: { method: 'INVITE' }, ...pools.default } })
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    await ask(bus, [factsOf('1'), factsOf('2'), factsOf('3', { method: 'MESSAGE' })], { pool: 'calls', count: 5 })
    const metrics = await registry.metrics()
    expect(metrics).toContain('siplb_route_decisions_total{pool="calls",proxy="px1",source="location"} 7')
    expect(metrics).toContain('siplb_route_unrouted_total{outcome="no-pool"} 1')
    expect(metrics).toMatch(/siplb_route_decision_seconds_count [1-9]/)
  })
})

describe('two locations', () => {
  it('share the questions of the queue group, and each answers what is asked of it alone', async () => {
    await using installation = await startInstallation()
    const [a, b] = [
      await installation.location(pools, { instance: 'a' }),
      await installation.location(pools, { instance: 'b' }),
    ]
    const bus = await installation.bus('ingress')
    await untilServed(bus)
    const askOne = (instance: string) =>
      bus.request(routeQuestionTo, { instance }, { ingress: 'i', requests: [factsOf('1')] }, 2000)
    for (const { bus: own } of [a, b]) {
      await waitFor(
        () =>
          askOne(own.instance).then(
            (reply) => reply.location === own.instance,
            () => false,
          ),
        5000,
      )
    }
    const who = new Map<string, number>()
    for (let i = 0; i < 200; i++) {
      const { location } = await ask(bus, [factsOf(`${i}`)])
      who.set(location, (who.get(location) ?? 0) + 1)
    }
    expect([...who.keys()].toSorted()).toEqual(['a', 'b'])
    expect(Math.min(...who.values())).toBeGreaterThan(50)
    await expect(askOne('c')).rejects.toThrow(BusError)
  })
})
