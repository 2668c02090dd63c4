import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { decisions, startCalling, startKamailioRig } from './rig.ts'

/** Of the new requests of a time, how many of those due to each proxy by equal shares it did not get, in percent. */
function leftOut(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  due: number,
): number {
  const made = Object.entries(after).map(([proxy, count]) => count - (before[proxy] ?? 0))
  const total = made.reduce((sum, count) => sum + count, 0)
  const got = (after['kam1'] ?? 0) - (before['kam1'] ?? 0)
  return 100 * (1 - got / (total * due))
}

it(
  'a real Kamailio that asks for 30 % less by oc gets that much less, and all of it again after the validity',
  { timeout: 180_000 },
  async () => {
    await using rig = await startKamailioRig([{}, {}], {
      pool: { policy: 'smooth-round-robin' },
      config: { probe: { intervalMs: 250 } },
    })
    const { stack, kamailios } = rig
    await using calling = await startCalling(stack, 130)
    await sleep(5000)
    await kamailios[0]?.setOverload(30)
    await sleep(1250) // the first answer that asks for it, and a second
    const asking = await decisions(stack)
    // 8,000 new requests, of which half would be its own.
    await sleep(62_000)
    const stopping = await decisions(stack)
    const row = (await stack.table()).proxies.find(({ id }) => id === 'kam1')
    await kamailios[0]?.setOverload(0)
    await sleep(4000) // the validity, and a second
    const free = await decisions(stack)
    await sleep(10_000)
    const last = await decisions(stack)
    const part = leftOut(asking, stopping, 0.5)
    const partAfter = leftOut(free, last, 0.5)
    const due = ((stopping['kam1'] ?? 0) + (stopping['kam2'] ?? 0) - (asking['kam1'] ?? 0) - (asking['kam2'] ?? 0)) / 2
    const { failed } = calling.caller.statistics()
    console.log(
      `oc=30: ${part.toFixed(1)} % of ${due} went elsewhere; after the validity ${partAfter.toFixed(1)} %; row: ${row?.weight} ${JSON.stringify(row?.overload)} ${row?.reason}; ${failed} failed`,
    )
    expect(due).toBeGreaterThanOrEqual(4000)
    expect(Math.abs(part - 30)).toBeLessThanOrEqual(3)
    expect(Math.abs(partAfter)).toBeLessThanOrEqual(3)
    expect(row?.overload).toMatchObject({ algorithm: 'loss', value: 30 })
    expect(failed).toBe(0)
  },
)
