import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { quantile, sharesOver, startCalling, startKamailioRig } from './rig.ts'

/** 60 % of what three Kamailio of 2 processes carry that take 20 ms for each INVITE. */
const RATE = 180
const SETTLING_MS = 5000

/** p99 of set-up, from 5 s after the last one's delay was changed. */
async function p99After(count: number, change: number | undefined) {
  await using rig = await startKamailioRig(Array.from({ length: count }, () => ({ children: 2 })))
  for (const kamailio of rig.kamailios) await kamailio.setDelay(20)
  await using calling = await startCalling(rig.stack, RATE)
  await sleep(8000)
  if (change !== undefined) await rig.kamailios.at(-1)?.setDelay(change)
  await sleep(SETTLING_MS)
  const from = performance.now()
  const shares = await sharesOver(rig.stack, 25_000)
  const weights: number[] = []
  for (const { proxies } of rig.stack.tables.slice(-10)) weights.push(proxies.at(-1)?.weight ?? 0)
  await calling.caller.stop()
  const times = calling.setupsMs(from, from + 24_000)
  const { failed, failures } = calling.caller.statistics()
  return { p99: quantile(times, 0.99), share: shares[`kam${count}`] ?? 0, weights, failed, failures }
}

it(
  'one of four Kamailio becomes ten times slower: callers hardly notice after five seconds',
  { timeout: 180_000 },
  async () => {
    const three = await p99After(3, undefined)
    const four = await p99After(4, 200)
    console.log(
      `p99 ${four.p99.toFixed(0)} ms, with three healthy ones ${three.p99.toFixed(0)} ms; the slow one has ${four.share.toFixed(2)} % of new requests, weight ${four.weights.map((w) => w.toFixed(1)).join(' ')}; failed ${JSON.stringify(four.failures)}`,
    )
    expect(four.p99).toBeLessThanOrEqual(1.5 * three.p99)
    // An INVITE that waits for the slow one is given to another too, and here both lead to the same phone, which then ends only one.
    const { 'BYE 481': merged = 0, ...others } = four.failures
    expect(others).toEqual({})
    expect(merged).toBeLessThan(10)
  },
)
