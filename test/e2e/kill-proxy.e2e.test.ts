import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '@siplb/children'
import { createCaller, freePort, startStack, waitFor, type CallResult } from '@siplb/testkit'
import { expect, it } from 'vitest'

const program = join(import.meta.dirname, '..', '..', 'start', 'demo', 'sample-proxy.ts')

/** A proxy that is an end point itself, as a process that can be killed. It rings for 400 ms. */
async function startEndPoint(name: string): Promise<{ id: string; uri: string; child: Child }> {
  const port = await freePort('udp')
  const lines: string[] = []
  const args = [program, '--listen', `udp://127.0.0.1:${port}`, '--name', name, '--delay-ms', '2', '--ring-ms', '400']
  const child = startChild(process.execPath, args, { onLine: (line) => lines.push(line) })
  await waitFor(() => lines.some((line) => line.includes('listens')), 10_000, `${name} to listen`)
  return { id: name, uri: `sip:127.0.0.1:${port}`, child }
}

it('kill -9 of one of three proxies that are end points, under 100 calls/s: every call without a final answer completes on another', async () => {
  const endPoints = await Promise.all(['px1', 'px2', 'px3'].map(startEndPoint))
  try {
    await using balancer = await startStack({
      pools: { default: { proxies: endPoints.map(({ id, uri }) => ({ id, uri })) } },
    })
    const results: CallResult[] = []
    const ends: number[] = []
    await using caller = await createCaller({
      target: balancer.sip,
      callMs: 500,
      onResult: (result) => {
        results.push(result)
        ends.push(performance.now())
      },
    })
    caller.start(100)
    await sleep(4000)
    const killedAt = performance.now()
    endPoints[0]?.child.kill('SIGKILL')
    await sleep(4000)
    await caller.stop()

    // Set up 2 s and more after the kill: none of them there.
    const late = results.filter((_, i) => (ends[i] ?? 0) > killedAt + 2000 + 400 + 500)
    expect(late.length).toBeGreaterThan(50)
    expect(late.filter(({ answeredBy }) => answeredBy === 'px1')).toEqual([])
    // A dialog that was set up at px1 ended with it: its BYE finds nobody. Nothing else fails.
    const failed = results.filter(({ outcome }) => outcome === 'failed')
    const lostDialogs = failed.filter(({ status, answeredBy }) => status === 200 && answeredBy === 'px1')
    console.log(
      `${results.length} calls, ${failed.length} failed, of them ${lostDialogs.length} dialogs that were up at the killed one`,
    )
    expect(failed).toEqual(lostDialogs)
    expect(results.length).toBeGreaterThan(700)
    // Some were ringing there when it was killed, and rang again elsewhere.
    expect(await balancer.metric('siplb_failovers_total')).toBeGreaterThan(5)
  } finally {
    for (const { child } of endPoints) child.kill('SIGKILL')
  }
})
