import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@siplb/children'
import { freePort, freezeProcess, startStack, waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { decisions, sharesOver, startCalling, startSampleRig } from './rig.ts'

const RATE = 100
const program = join(import.meta.dirname, '..', '..', 'start', 'demo', 'sample-proxy.ts')

describe('one of four proxies', () => {
  it('that answers 503 at once has less than 5 % of new requests from two seconds on', async () => {
    await using rig = await startSampleRig(4)
    await using calling = await startCalling(rig.stack, RATE)
    await sleep(5000)
    rig.proxies[3]?.setAnswer(503, ['INVITE'])
    await sleep(2000)
    const { px4 = 0 } = await sharesOver(rig.stack, 10_000)
    await calling.caller.stop()
    const { failed, completed } = calling.caller.statistics()
    console.log(`503 at once: ${px4.toFixed(2)} % of new requests from 2 s on; ${completed} calls, ${failed} failed`)
    expect(px4).toBeLessThan(5)
    expect(failed).toBe(0)
  })

  it('that answers 404 at once has no more than its weight', async () => {
    await using rig = await startSampleRig(4, { delayMs: 15 })
    await using calling = await startCalling(rig.stack, RATE)
    await sleep(5000)
    rig.proxies[3]?.setAnswer(404, ['INVITE'])
    const { px4 = 0 } = await sharesOver(rig.stack, 20_000)
    const { made } = calling
    console.log(`404 at once: ${px4.toFixed(1)} % of new requests, its weight is 25 % at first; ${made.length} calls`)
    // 4.5 σ of 2,000 requests.
    expect(px4).toBeLessThanOrEqual(25 + 4.5 * Math.sqrt((100 * 25 * 0.75) / 20))
  })

  it('that falls silent has no new request after two seconds, and those caught by it are answered elsewhere within one', async () => {
    const rig = await startProcesses(4)
    try {
      await using stack = await startStack({ pools: { default: { proxies: rig.map(({ id, uri }) => ({ id, uri })) } } })
      await using calling = await startCalling(stack, RATE)
      await sleep(5000)
      const silentAt = performance.now()
      await freezeProcess(rig[3]?.child.pid ?? 0)
      await sleep(2000 - (performance.now() - silentAt))
      const atTwo = (await decisions(stack))['px4'] ?? 0
      await sleep(6000)
      const late = ((await decisions(stack))['px4'] ?? 0) - atTwo
      await calling.caller.stop()
      const caught = calling.made.filter(({ at, result }) => at > silentAt && (result.setupMs ?? 32_000) > 400)
      const slowest = Math.max(
        0,
        ...calling.made.filter(({ at }) => at > silentAt).map(({ result }) => result.setupMs ?? 32_000),
      )
      console.log(
        `silent: ${late} new requests there after 2 s; ${caught.length} caught, slowest answered after ${slowest.toFixed(0)} ms`,
      )
      expect(late).toBe(0)
      expect(slowest).toBeLessThanOrEqual(1000)
    } finally {
      for (const { child } of rig) child.kill('SIGKILL')
    }
  })
})

async function startProcesses(count: number): Promise<{ id: string; uri: string; child: Child }[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const id = `px${i + 1}`
      const port = await freePort('udp')
      const lines: string[] = []
      const args = [program, '--listen', `udp://127.0.0.1:${port}`, '--name', id, '--delay-ms', '5', '--ring-ms', '50']
      const child = startChild(process.execPath, args, { onLine: (line) => lines.push(line) })
      await waitFor(() => lines.some((line) => line.includes('listens')), 10_000, `${id} to listen`)
      return { id, uri: `sip:127.0.0.1:${port}`, child }
    }),
  )
}
