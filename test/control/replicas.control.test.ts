import { setTimeout as sleep } from 'node:timers/promises'
import { createSampleProxy, startStack, waitFor } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { startCalling, startSampleRig } from './rig.ts'

it('the standby of a weigher that is killed under traffic goes on within 5 s, under a higher epoch, with weights within 5 %', async () => {
  await using rig = await startSampleRig(4)
  const { stack, proxies } = rig
  proxies[1]?.setDelay(25)
  proxies[2]?.setDelay(45)
  const weighers = [stack.service('weigher'), await stack.spawn('weigher')]
  await using calling = await startCalling(stack, 80)
  await sleep(15_000)
  const before = await stack.table()
  const known = stack.tables.length
  const killedAt = performance.now()
  // Pools are shared among weighers: whichever writes this one.
  const writer = weighers.find((one) => one.log().some((line) => line['instance'] === before.writer))
  if (writer === undefined) throw new Error(`nobody is ${before.writer}`)
  writer.kill('SIGKILL')
  const after = await waitFor(
    () => stack.tables.slice(known).find((table) => table.writer !== before.writer),
    6000,
    'the first table of the standby',
  )
  const tookMs = performance.now() - killedAt
  await sleep(3000)
  const moves = before.proxies.map(({ id, weight }) => {
    const now = after.proxies.find((row) => row.id === id)?.weight ?? 0
    return Math.abs(now - weight) / weight
  })
  const { failed, completed } = calling.caller.statistics()
  const told = (rows: typeof before.proxies) => rows.map(({ weight }) => weight.toFixed(1)).join(' ')
  console.log(
    `standby: first table ${tookMs.toFixed(0)} ms after the kill, epoch ${before.epoch} → ${after.epoch}, weights ${told(before.proxies)} → ${told(after.proxies)}, at most ${(100 * Math.max(...moves)).toFixed(1)} %; ${completed} calls, ${failed} failed`,
  )
  expect(tookMs).toBeLessThanOrEqual(5000)
  expect(after.epoch).toBeGreaterThan(before.epoch)
  // Uneven, or equal weights would show nothing.
  const weights = before.proxies.map(({ weight }) => weight)
  expect(Math.min(...weights)).toBeLessThan(0.8 * Math.max(...weights))
  expect(Math.max(...moves)).toBeLessThanOrEqual(0.05)
  expect(failed).toBe(0)
})

it('each proxy is still probed once per interval when a third prober comes', async () => {
  await using parts = new AsyncDisposableStack()
  const probes: { readonly proxy: string; readonly at: number }[] = []
  const ids = Array.from({ length: 8 }, (_, i) => `px${i + 1}`)
  const proxies = []
  for (const id of ids) {
    const proxy = await createSampleProxy({
      name: id,
      onArrival(message) {
        if (message.kind !== 'request' || message.method !== 'OPTIONS') return
        probes.push({ proxy: id, at: performance.now() })
      },
    })
    proxies.push({ id, uri: parts.use(proxy).uri })
  }
  const stack = parts.use(await startStack({ pools: { default: { proxies } } }))
  await stack.spawn('prober')
  await sleep(6000)
  await stack.spawn('prober')
  const since = performance.now()
  await sleep(20_000)
  const counts = ids.map((id) => probes.filter(({ proxy, at }) => proxy === id && at >= since).length)
  console.log(`a third prober came: ${counts.join(' ')} probes of each proxy in 20 intervals`)
  for (const count of counts) expect(Math.abs(count - 20)).toBeLessThanOrEqual(1)
})
