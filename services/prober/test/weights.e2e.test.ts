import { createCaller, createSampleProxy, startStack, waitFor, type Stack } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { startUdpProxy } from './udp-proxy.ts'

/** Who answers so many calls through the balancer. */
async function callees(stack: Stack, calls: number): Promise<Readonly<Record<string, number>>> {
  await using caller = await createCaller({ target: stack.sip })
  const counted: Record<string, number> = {}
  for (let i = 0; i < calls; i++) {
    const { answeredBy = 'nobody' } = await caller.call()
    counted[answeredBy] = (counted[answeredBy] ?? 0) + 1
  }
  return counted
}

const rowOf = async (stack: Stack, id: string) => (await stack.table()).proxies.find((row) => row.id === id)

it('INVITE probes tell response times, these become weights, and calls follow them', async () => {
  await using fast = await createSampleProxy({ name: 'fast' })
  await using slow = await createSampleProxy({ name: 'slow', delayMs: 120 })
  const proxies = [fast, slow].map(({ name, uri }) => ({ id: name, uri }))
  await using stack = await startStack({
    pools: { default: { policy: 'smooth-round-robin', proxies } },
    config: { probe: { method: 'INVITE', intervalMs: 200, ringMs: 2000 } },
  })
  await waitFor(async () => (await stack.shareOf('slow')) < 0.3, 20_000, 'the slow one to weigh less')
  expect((await rowOf(stack, 'slow'))?.signals.responseTimeMs).toBeGreaterThanOrEqual(100)
  expect((await rowOf(stack, 'slow'))?.reason).toContain('response time')
  const { fast: toFast = 0, slow: toSlow = 0 } = await callees(stack, 20)
  expect(toFast + toSlow).toBe(20)
  expect(toSlow).toBeLessThan(8)
  // Nothing but calls was sent to ask.
  expect(slow.counters().requests['OPTIONS'] ?? 0).toBe(0)
})

it('the load asked for with the probe, told in a header or a body of the answer, becomes a weight beside the response time', async () => {
  await using idle = await createSampleProxy({ name: 'idle', loadHeader: true })
  await using busy = await createSampleProxy({ name: 'busy', loadHeader: true })
  await using full = await startUdpProxy(({ answer }) =>
    answer(200, [['Content-Type', 'application/json']], '{"active":95,"capacity":100}'),
  )
  idle.setLoad(0.1)
  busy.setLoad(0.95)
  const proxies = [
    { id: 'idle', uri: idle.uri },
    { id: 'busy', uri: busy.uri },
    { id: 'full', uri: full.uri },
  ]
  await using stack = await startStack({
    pools: { default: { proxies } },
    config: { probe: { intervalMs: 200 } },
  })
  await waitFor(async () => (await stack.shareOf('idle')) > 0.6, 20_000, 'the idle one to weigh more')
  for (const [id, load] of [
    ['idle', 0.1],
    ['busy', 0.95],
    ['full', 0.95],
  ] as const) {
    // A new response time changes no table by itself: it comes with the next one.
    const signals = await waitFor(async () => {
      const row = await rowOf(stack, id)
      return row?.signals.responseTimeMs !== undefined && row.signals
    }, 10_000)
    expect(signals.load).toBeCloseTo(load, 2)
  }
  busy.setLoad(0.1)
  await waitFor(async () => (await stack.shareOf('busy')) > 0.35, 20_000, 'the load to be believed when it is gone')
})
