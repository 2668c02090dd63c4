import { setTimeout as sleep } from 'node:timers/promises'
import { runSipp, startSipp, startStack } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { scenario } from './scenario.ts'

it('location, weigher, prober and NATS killed one after another under 100 calls/s: no call fails', async () => {
  await using stack = new AsyncDisposableStack()
  const called = []
  for (let i = 0; i < 3; i++) called.push(stack.use(await startSipp({ scenario: scenario('uas'), timeoutMs: 100_000 })))
  const proxies = called.map(({ port }, i) => ({ id: `px${i + 1}`, uri: `sip:127.0.0.1:${port}` }))
  const balancer = stack.use(await startStack({ pools: { default: { proxies } } }))
  const load = { ratePerSecond: 100, calls: 2500, pauseMs: 300, timeoutMs: 60_000 }
  const calling = runSipp({ scenario: scenario('uac'), target: balancer.sip, ...load })
  for (const name of ['location', 'weigher', 'prober'] as const) {
    await sleep(4000)
    balancer.service(name).kill('SIGKILL')
  }
  await sleep(4000)
  await balancer.nats.kill()
  const caller = await calling
  console.log('services and NATS killed:', JSON.stringify(caller))
  expect(caller).toMatchObject({ created: 2500, successful: 2500, failed: 0 })
})
