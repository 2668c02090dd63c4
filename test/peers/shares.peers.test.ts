import { runSipp, startSipp, startStack, type Sipp, type SippStatistics } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { scenario } from './scenario.ts'

/** Calls from SIPp through the balancer to four SIPp; the calls that each of the four got. */
async function share(
  pool: object,
  weights: readonly number[],
  load: { readonly ratePerSecond: number; readonly calls: number },
): Promise<{ caller: SippStatistics; calls: number[] }> {
  await using stack = new AsyncDisposableStack()
  const called: Sipp[] = []
  for (const _ of weights) called.push(stack.use(await startSipp({ scenario: scenario('uas'), timeoutMs: 200_000 })))
  const proxies = called.map(({ port }, i) => ({ id: `px${i + 1}`, uri: `sip:127.0.0.1:${port}`, weight: weights[i] }))
  const balancer = stack.use(await startStack({ pools: { default: { ...pool, proxies } } }))
  const caller = await runSipp({
    scenario: scenario('uac'),
    target: balancer.sip,
    ...load,
    pauseMs: 200,
    timeoutMs: 150_000,
  })
  const statistics = await Promise.all(called.map((one) => one.stop()))
  // The prober's OPTIONS are calls to SIPp too, but none that it completes.
  return { caller, calls: statistics.map(({ successful }) => successful) }
}

const roundRobin = { policy: 'smooth-round-robin' }
const thirtySeconds = { ratePerSecond: 100, calls: 3000 }

describe('SIPp at 100 calls/s for 30 s through the balancer to four SIPp', () => {
  it('loses and repeats nothing, and shares equal weights to a call or two', async () => {
    const { caller, calls } = await share(roundRobin, [100, 100, 100, 100], thirtySeconds)
    console.log('equal weights, smooth-round-robin:', calls.join(' '), JSON.stringify(caller))
    expect(caller).toMatchObject({ created: 3000, successful: 3000, failed: 0, retransmissions: 0 })
    for (const one of calls) expect(Math.abs(one - 750)).toBeLessThanOrEqual(2)
  })

  it('shares 100/50/25/25 to a call or two', async () => {
    const { caller, calls } = await share(roundRobin, [100, 50, 25, 25], thirtySeconds)
    console.log('100/50/25/25, smooth-round-robin:', calls.join(' '), JSON.stringify(caller))
    expect(caller).toMatchObject({ created: 3000, successful: 3000, failed: 0, retransmissions: 0 })
    const due = [1500, 750, 375, 375]
    calls.forEach((one, i) => expect(Math.abs(one - (due[i] ?? 0))).toBeLessThanOrEqual(2))
  })
})

it('shares 12,000 calls within two points of equal by the default policy', { timeout: 200_000 }, async () => {
  const { caller, calls } = await share({}, [100, 100, 100, 100], { ratePerSecond: 200, calls: 12_000 })
  console.log('equal weights, least-work:', calls.join(' '), JSON.stringify(caller))
  expect(caller).toMatchObject({ created: 12_000, successful: 12_000, failed: 0 })
  for (const one of calls) expect(Math.abs(one / 12_000 - 0.25)).toBeLessThanOrEqual(0.02)
})
