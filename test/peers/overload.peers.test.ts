import { runSipp, waitFor } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { scenario } from './scenario.ts'
import { startTwoKamailio } from './two-kamailio.ts'

/** Of 100. Less than all: on a busy machine one of the two is the slower, and the other then carries more of the whole. */
const BACK = 75

it(
  'one of two Kamailio that answers late has half its weight within 10 s, and gets it back',
  { timeout: 120_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const { balancer, kamailios } = await startTwoKamailio(stack)
    const [, late] = kamailios
    const weightOf = async (id: string) => (await balancer.table()).proxies.find((row) => row.id === id)?.weight ?? 0
    const calling = runSipp({
      scenario: scenario('uac'),
      target: balancer.sip,
      ratePerSecond: 100,
      calls: 4000,
      pauseMs: 100,
      timeoutMs: 110_000,
    })
    await waitFor(async () => (await weightOf(late.name)) > BACK, 10_000, 'full weights under traffic')
    const startedAt = performance.now()
    await late.setDelay(50)
    await waitFor(
      async () => (await weightOf(late.name)) <= 50,
      10_000,
      'the weight of the overloaded Kamailio to halve',
    )
    const halvedMs = performance.now() - startedAt
    await late.setDelay(0)
    try {
      await waitFor(async () => (await weightOf(late.name)) > BACK, 60_000, 'the weight to come back')
    } finally {
      for (const { proxies } of balancer.tables.slice(-40))
        console.log(proxies.map((p) => `${p.id} ${p.weight.toFixed(1)} ${p.reason}`).join(' | '))
    }
    const backMs = performance.now() - startedAt - halvedMs
    console.log(
      `overloaded Kamailio: weight halved after ${halvedMs.toFixed(0)} ms, back ${backMs.toFixed(0)} ms after the overload`,
    )
    expect((await calling).failed).toBe(0)
  },
)
