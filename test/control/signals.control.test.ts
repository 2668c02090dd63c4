import { setTimeout as sleep } from 'node:timers/promises'
import { loadReported } from '@siplb/contracts'
import { startStack, type Stack } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { quantile, startCalling, startSampleRig } from './rig.ts'
import { startLossyRelay } from './lossy-relay.ts'

/** Which table the ingress chooses by now. */
async function tableInForce(stack: Stack): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${stack.service('ingress').httpPort}/readyz`)
  return JSON.stringify(((await answer.json()) as { tables?: unknown; details?: { tables?: unknown } }) ?? {})
}

it('requests follow a load event within 300 ms (p99)', { timeout: 240_000 }, async () => {
  await using rig = await startSampleRig(4)
  const { stack } = rig
  await using calling = await startCalling(stack, 100)
  await sleep(4000)
  const tookMs: number[] = []
  for (let i = 0; i < 60; i++) {
    const before = await tableInForce(stack)
    const toldAt = performance.now()
    const load = i % 2 === 0 ? 0.95 : 0.1
    stack.bus.publish(
      loadReported,
      { pool: 'default' },
      { proxy: 'px2', load, source: 'event', ageMs: 0, expiresInMs: 60_000 },
    )
    while ((await tableInForce(stack)) === before && performance.now() - toldAt < 5000) await sleep(1)
    // The next request, 10 ms later at the most, goes by it.
    tookMs.push(performance.now() - toldAt + 10)
    await sleep(2500 + (i % 7) * 100)
  }
  const { failed } = calling.caller.statistics()
  console.log(
    `load event → requests that follow: p50 ${quantile(tookMs, 0.5).toFixed(0)} ms, p99 ${quantile(tookMs, 0.99).toFixed(0)} ms, of ${tookMs.length}; ${failed} failed`,
  )
  expect(quantile(tookMs, 0.99)).toBeLessThanOrEqual(300)
  expect(failed).toBe(0)
})

it('a lost probe moves no weight, and one in ten lost neither ejects nor takes down a proxy whose calls go well', async () => {
  await using rig = await startSampleRig(2)
  const [px1, px2] = rig.proxies
  if (px1 === undefined || px2 === undefined) throw new Error('no proxies')
  await using relay = await startLossyRelay(px2)
  const proxies = [
    { id: 'px1', uri: px1.uri },
    { id: 'px2', uri: relay.uri },
  ]
  await using stack = await startStack({ pools: { default: { proxies } }, config: { probe: { intervalMs: 200 } } })
  await using calling = await startCalling(stack, 60)
  await sleep(5000)
  relay.loseNextProbe()
  await sleep(4000)
  const afterOne = stack.tables.flatMap(({ proxies: rows }) => rows.map(({ weight }) => weight))
  relay.loseProbes(0.1)
  await sleep(30_000)
  const rows = stack.tables.flatMap((table) => table.proxies)
  const weights = rows.map(({ weight }) => weight)
  const { failed, completed } = calling.caller.statistics()
  console.log(
    `one probe lost: weights ${Math.min(...afterOne)} to ${Math.max(...afterOne)}; ${relay.lost()} of ${relay.probes()} probes lost: ${Math.min(...weights)} to ${Math.max(...weights)}, states ${[...new Set(rows.map(({ state }) => state))].join(' ')}; ${completed} calls, ${failed} failed`,
  )
  expect(relay.lost()).toBeGreaterThan(5)
  for (const weight of afterOne) expect(Math.abs(weight - 100)).toBeLessThanOrEqual(2)
  expect(rows.filter(({ state }) => state === 'down' || state === 'ejected')).toEqual([])
})
