import { loadReported } from '@siplb/contracts'
import { runSipp, waitFor, type Kamailio, type Stack } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenario } from './scenario.ts'
import { startTwoKamailio } from './two-kamailio.ts'

describe('two Kamailio in front of one called side', () => {
  let stack: AsyncDisposableStack
  let kamailios: Kamailio[]
  let balancer: Stack

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    ;({ kamailios, balancer } = await startTwoKamailio(stack))
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
})
