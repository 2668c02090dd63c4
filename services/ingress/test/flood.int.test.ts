import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '@siplb/children'
import { createCaller, createSampleProxy, freePort, spawnService } from '@siplb/testkit'
import { expect, it } from 'vitest'

const SECONDS = 5

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

async function flood(port: number, kind: 'one' | 'many', perSecond: number): Promise<void> {
  const script = join(import.meta.dirname, 'flooder.ts')
  const args = [script, String(port), kind, String(perSecond), String(SECONDS)]
  const child = startChild(process.execPath, args)
  await child.exited
}

/** Real calls from one address while junk comes, and what it did to the memory of the ingress. */
async function callsDuring(kind: 'one' | 'many') {
  await using stack = new AsyncDisposableStack()
  const proxy = stack.use(await createSampleProxy({ address: '127.0.0.2' }))
  const port = await freePort('udp')
  const ingress = stack.use(
    await spawnService('ingress', {
      config: {
        nats: { servers: ['nats://127.0.0.1:1'] },
        http: { port: 0 },
        ingress: { listen: [`udp://127.0.0.1:${port}`], trusted: [] },
        pools: { default: { proxies: [{ id: 'px1', uri: proxy.uri }] } },
      },
    }),
  )
  const target = { address: '127.0.0.1', port }
  const caller = stack.use(await createCaller({ target, localAddress: '127.0.0.9', callMs: 200 }))
  // As much as an ordinary load takes is no growth.
  caller.start(150)
  await sleep(4000)
  caller.start(25)
  const before = await residentMb(ingress.pid)
  let most = before
  const watch = setInterval(() => void residentMb(ingress.pid).then((mb) => (most = Math.max(most, mb))), 100)
  await flood(port, kind, 5000)
  clearInterval(watch)
  await caller.stop()
  const metrics = await (await fetch(`http://127.0.0.1:${ingress.httpPort}/metrics`)).text()
  const drops = [...metrics.matchAll(/^siplb_sip_dropped_total\{reason="rate-of-[a-z]+"\} (\d+)$/gm)]
  const dropped = drops.reduce((sum, [, count]) => sum + Number(count), 0)
  const { completed, failed } = caller.statistics()
  return { completed, failed, grownMb: most - before, dropped }
}

it('junk from one source hurts no call, and takes no memory', async () => {
  const { completed, failed, grownMb, dropped } = await callsDuring('one')
  expect(failed / (completed + failed)).toBeLessThanOrEqual(0.001)
  expect(completed).toBeGreaterThan(500)
  expect(grownMb).toBeLessThan(50)
  expect(dropped).toBeGreaterThan(100)
}, 60_000)

it('junk from twenty thousand made-up addresses hurts no more than one call in a hundred, and takes no memory', async () => {
  const { completed, failed, grownMb, dropped } = await callsDuring('many')
  expect(failed / (completed + failed)).toBeLessThanOrEqual(0.01)
  expect(completed).toBeGreaterThan(500)
  expect(grownMb).toBeLessThan(50)
  expect(dropped).toBeGreaterThan(100)
}, 60_000)
