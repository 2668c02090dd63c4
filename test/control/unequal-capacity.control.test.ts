import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { quantile, sharesOver, startCalling, startKamailioRig } from './rig.ts'

const DELAY_MS = 40

it('finds the shares of Kamailio with 1, 2 and 4 processes under equal weights', { timeout: 180_000 }, async () => {
  await using rig = await startKamailioRig([1, 2, 4].map((children) => ({ children })))
  for (const kamailio of rig.kamailios) await kamailio.setDelay(DELAY_MS)
  // Each process takes 25 INVITEs per second: 78 % of 175.
  await using calling = await startCalling(rig.stack, 136)
  await sleep(60_000)
  const from = performance.now()
  const shares = await sharesOver(rig.stack, 40_000)
  const utilisation = [1, 2, 4].map(
    (children, i) => (((shares[`kam${i + 1}`] ?? 0) / 100) * 136 * DELAY_MS) / 1000 / children,
  )
  const times = calling.setupsMs(from, from + 40_000)
  const table = await rig.stack.table()
  console.log(
    `shares ${[1, 2, 3].map((i) => shares[`kam${i}`]?.toFixed(1)).join(' / ')} % (14.3 / 28.6 / 57.1), utilisation ${utilisation.map((u) => u.toFixed(2)).join(' / ')}, p50 ${quantile(times, 0.5).toFixed(0)} ms, p99 ${quantile(times, 0.99).toFixed(0)} ms, weights ${table.proxies.map(({ weight }) => weight.toFixed(0)).join(' / ')}, failed ${calling.caller.statistics().failed}`,
  )
  ;[100 / 7, 200 / 7, 400 / 7].forEach((due, i) => {
    expect(Math.abs((shares[`kam${i + 1}`] ?? 0) / due - 1)).toBeLessThanOrEqual(0.1)
  })
  expect(calling.caller.statistics().failed).toBe(0)
})
