import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { startNats, waitFor } from '@siplb/testkit'
import { connect } from 'nats'
import { expect, it } from 'vitest'

const program = join(import.meta.dirname, '..', '..', 'examples', 'print-weight-changes.mjs')

it('prints each change of a weight with its reason, and nothing for those that stayed', async () => {
  await using nats = await startNats()
  const lines: string[] = []
  const child = startChild(process.execPath, [program, nats.url], { onLine: (line) => lines.push(line) })
  const bus = await connect({ servers: nats.url })
  const row = { uri: 'sip:127.0.0.1:5070', tier: 1, baseWeight: 100, state: 'up', restricted: false, signals: {} }
  const proxies = [
    { ...row, id: 'px1', weight: 100, prevWeight: 100, reason: 'as configured' },
    { ...row, id: 'px2', weight: 48, prevWeight: 62, reason: 'response time 91 ms, pool 22 ms' },
  ]
  const event = { time: '2026-01-02T03:04:05.000Z', data: { pool: 'default', proxies } }
  try {
    const say = () => bus.publish('siplb.v1.evt.weights.changed.default', JSON.stringify(event))
    await waitFor(() => (say(), lines.length > 0), 10_000, 'a line')
    expect(lines[0]).toBe('2026-01-02T03:04:05.000Z default/px2 62.0 → 48.0 (up): response time 91 ms, pool 22 ms')
    expect(lines.every((line) => line.includes('px2'))).toBe(true)
  } finally {
    await bus.close()
    child.kill('SIGKILL')
    await child.exited
  }
})

it('says in one line that there is no bus, or that it is not let in', async () => {
  await using guarded = await startNats({ args: ['--user', 'operator', '--pass', 'secret'] })
  for (const [server, problem] of [
    ['nats://127.0.0.1:1', 'CONNECTION_REFUSED'],
    [guarded.url, "'Authorization Violation'"],
  ] as const) {
    const lines: string[] = []
    const child = startChild(process.execPath, [program, server], { onLine: (line) => lines.push(line) })
    expect(await child.exited).toBe(1)
    expect(lines).toEqual([
      `no NATS to listen to at ${server} (${problem}): start it, or name another as first argument`,
    ])
  }
})
