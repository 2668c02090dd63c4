import { loadReported } from '@siplb/contracts'
import { runSipp, startKamailio, startSipp, startStack, waitFor, type Kamailio, type Stack } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenario } from './scenario.ts'

/** Of 100. Less than all: on a busy machine one of the two is the slower, and the other then carries more of the whole. */
const BACK = 75

describe('two Kamailio in front of one called side', () => {
  let stack: AsyncDisposableStack
  let kamailios: Kamailio[]
  let balancer: Stack

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    const called = stack.use(await startSipp({ scenario: scenario('uas'), timeoutMs: 300_000 }))
    kamailios = [
      stack.use(await startKamailio({ next: called, name: 'kam1' })),
      stack.use(await startKamailio({ next: called, name: 'kam2' })),
    ]
    const proxies = kamailios.map(({ name, uri, rpcUrl }) => ({
      id: name,
      uri,
      load: { source: 'kamailio', url: rpcUrl, capacity: 100, intervalMs: 500 },
    }))
    balancer = stack.use(
      await startStack({ pools: { default: { proxies } }, config: { weights: { slowStartMs: 2000 } } }),
    )
  })
  afterAll(() => stack.disposeAsync())

  const received = async () => {
    const names = ['core:rcv_requests_invite', 'core:rcv_requests_bye', 'core:rcv_requests_ack']
    return Promise.all(kamailios.map((kamailio) => kamailio.statistics(names)))
  }

  it('completes calls, and BYE and re-INVITE pass through the Kamailio of their INVITE', async () => {
    const caller = await runSipp({
      scenario: scenario('uac-reinvite'),
      target: balancer.sip,
      ratePerSecond: 50,
      calls: 500,
      pauseMs: 100,
    })
    const seen = await received()
    console.log('requests seen by each Kamailio:', JSON.stringify(seen), JSON.stringify(caller))
    expect(caller).toMatchObject({ successful: 500, failed: 0, failures: {} })
    // Two INVITEs, two ACKs and one BYE of each call: a request that strayed would be refused with 404 by the other.
    for (const of of seen) {
      const byes = of['core:rcv_requests_bye'] ?? 0
      expect(byes).toBeGreaterThan(100)
      expect(of).toMatchObject({ 'core:rcv_requests_invite': 2 * byes, 'core:rcv_requests_ack': 2 * byes })
    }
  })

  it('learns the load of both from JSON-RPC', async () => {
    const asked = new Set<string>()
    const hearing = balancer.bus.subscribe(loadReported, { pool: '*' }, ({ data }) => {
      if (data.source === 'kamailio') asked.add(data.proxy)
    })
    await waitFor(() => asked.size === 2, 5000, 'a load event of each, from its JSON-RPC')
    hearing.stop()
    const isKnown = async () => (await balancer.table()).proxies.every(({ signals }) => signals.load !== undefined)
    await waitFor(isKnown, 5000, 'a load in the table for each')
  })

  it('halves the weight of an overloaded one within 10 s, and gives it back', { timeout: 120_000 }, async () => {
    const weightOf = async (id: string) => (await balancer.table()).proxies.find((row) => row.id === id)?.weight ?? 0
    const load = {
      scenario: scenario('uac'),
      target: balancer.sip,
      ratePerSecond: 100,
      pauseMs: 100,
      timeoutMs: 110_000,
    }
    const calling = runSipp({ ...load, calls: 4000 })
    await waitFor(async () => (await weightOf('kam2')) > BACK, 10_000, 'full weights under traffic')
    const startedAt = performance.now()
    await kamailios[1]?.setDelay(50_000 / 1000)
    await waitFor(async () => (await weightOf('kam2')) <= 50, 10_000, 'the weight of the overloaded Kamailio to halve')
    const halvedMs = performance.now() - startedAt
    await kamailios[1]?.setDelay(0)
    try {
      await waitFor(async () => (await weightOf('kam2')) > BACK, 60_000, 'the weight to come back')
    } finally {
      for (const { proxies } of balancer.tables.slice(-40))
        console.log(proxies.map((p) => `${p.id} ${p.weight.toFixed(1)} ${p.reason}`).join(' | '))
    }
    const backMs = performance.now() - startedAt - halvedMs
    console.log(
      `overloaded Kamailio: weight halved after ${halvedMs.toFixed(0)} ms, back ${backMs.toFixed(0)} ms after the overload`,
    )
    expect((await calling).failed).toBe(0)
  })
})
