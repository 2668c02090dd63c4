import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { loadReported, type Load } from '@siplb/contracts'
import { createCaller, createSampleProxy, startStack } from '@siplb/testkit'
import { expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', '..', 'cli', 'src', 'main.ts')

async function siplb(...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, '-o', 'json'])
  return JSON.parse(stdout)
}

interface Row {
  readonly id: string
  readonly weight: number
  readonly shadowWeight: number
  readonly share: number
  readonly shadowShare: number
}

interface Replayed {
  readonly inForce: { readonly requests: number; readonly proxies: readonly { readonly share: number }[] }
  readonly changed: { readonly proxies: readonly { readonly share: number; readonly lowestWeight: number }[] }
}

it('a shadow and a replay tell the same of another load target under real calls, and the calls go as before', async () => {
  await using px1 = await createSampleProxy({ name: 'px1' })
  await using px2 = await createSampleProxy({ name: 'px2' })
  const proxies = [px1, px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri }))
  const shadow = { policy: 'smooth-round-robin', weights: { loadTarget: 0.2 } }
  await using stack = await startStack({ pools: { default: { policy: 'smooth-round-robin', shadow, proxies } } })
  const load: Load = { proxy: 'px1', load: 0.65, source: 'test', ageMs: 0, expiresInMs: 60_000 }
  stack.bus.publish(loadReported, { pool: 'default' }, load)
  await using caller = await createCaller({ target: stack.sip, callMs: 200 })
  caller.start(40)
  await sleep(12_000)
  const on = ['--nats', stack.nats.url]
  const [beside] = (await siplb('weights', '--shadow', ...on)) as { proxies: Row[] }[]
  await caller.stop()
  const [first] = beside?.proxies ?? []
  expect(first).toMatchObject({ id: 'px1', weight: 100 })
  expect(first?.share).toBeCloseTo(0.5, 1)
  // 1 - 0.98 · 0.45 / 0.8 of its base weight, as far as was worth saying.
  expect(first?.shadowWeight).toBeGreaterThan(40)
  expect(first?.shadowWeight).toBeLessThan(55)
  expect(first?.shadowShare).toBeLessThan(0.4)
  const set = ['--set', 'weights.loadTarget=0.2', '--since', '8s']
  const { inForce, changed } = (await siplb('replay', ...set, ...on)) as Replayed
  expect(inForce.proxies[0]?.share).toBeCloseTo(0.5, 2)
  expect(changed.proxies[0]?.share).toBeCloseTo(first?.shadowShare ?? 0, 1)
  expect(inForce.requests).toBeGreaterThan(100)
  expect(caller.statistics()).toMatchObject({ failed: 0 })
})
