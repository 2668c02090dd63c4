import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { createNatsBus, type Bus } from '@siplb/bus'
import { startChild, type Child } from '@siplb/children'
import { loadReported, natsConfig, type Load } from '@siplb/contracts'
import { freePort, startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ran } from '../ran.ts'

const root = join(import.meta.dirname, '..', '..', '..')
let nats: TestNats
let bus: Bus
let port: number
let busy: Child
const loads: Load[] = []

beforeAll(async () => {
  nats = await startNats()
  port = await freePort('udp')
  busy = await startBusy()
  const nothing = () => {}
  bus = createNatsBus({
    ...{ config: natsConfig.parse({ servers: [nats.url] }), service: 'test', instance: 'test', version: '0.0.0' },
    ...{ log: { info: nothing, warn: nothing }, isService: false },
    observer: { published: nothing, unpublished: nothing, received: nothing, dropped: nothing },
  })
  bus.subscribe(loadReported, { pool: '*' }, ({ data }) => void loads.push(data))
})

afterAll(async () => {
  await bus.close()
  busy.kill('SIGKILL')
  await busy.exited
  await nats.stop()
})

async function startBusy(): Promise<Child> {
  const lines: string[] = []
  const file = join(import.meta.dirname, 'hold-queue.ts')
  const child = startChild(process.execPath, [file, String(port)], { onLine: (line) => lines.push(line) })
  await waitFor(() => lines.length > 0, 10_000, 'the busy process')
  return child
}

/** `siplb agent` as a process, as it runs beside a proxy. */
function startAgent(args: readonly string[]) {
  const lines: string[] = []
  const all = ['cli/src/main.ts', 'agent', '--pool', 'main', '--proxy', 'px1', '--interval-ms', '200', ...args]
  const child = startChild(process.execPath, all, { cwd: root, onLine: (line) => lines.push(line) })
  return {
    lines,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await child.exited
    },
  }
}

async function send(texts: readonly string[]): Promise<void> {
  const socket = createSocket('udp4')
  for (const text of texts) await new Promise((resolve) => socket.send(text, port, '127.0.0.1', resolve))
  socket.close()
}

const last = () => loads.at(-1)

it('tells rising load of a busy process and of a full queue, and nothing while the process is gone', async () => {
  await using agent = startAgent(['--pid', String(busy.pid), '--port', String(port), '--nats', nats.url])
  await waitFor(() => (last()?.load ?? 1) < 0.2, 10_000, 'an idle process')
  expect(last()).toMatchObject({ proxy: 'px1', source: 'agent', expiresInMs: 1000, details: { drops: 0 } })

  await send(['burn 2000'])
  await waitFor(() => (last()?.details?.['busy'] ?? 0) > 0.8, 5000, 'a busy worker')
  expect(last()?.details?.['queue']).toBe(0)

  await send(['burn 2000', ...Array.from({ length: 500 }, () => 'x'.repeat(1000))])
  await waitFor(() => last()?.load === 1 && last()?.details?.['queue'] === 1, 5000, 'a full queue')
  await waitFor(() => (last()?.details?.['queue'] ?? 1) < 0.2, 10_000, 'an empty queue')

  busy.kill('SIGKILL')
  await busy.exited
  const isGone = () => agent.lines.some((line) => line.endsWith('is not running: nothing is told of px1 until it is'))
  await waitFor(isGone, 5000, 'the agent to notice')
  const told = loads.length
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(loads).toHaveLength(told)
  expect(agent.lines.filter((line) => line.includes('not running'))).toHaveLength(1)
  busy = await startBusy()
})

it('says once what is missing when there is no bus, and goes on', async () => {
  await using agent = startAgent(['--pid', String(busy.pid), '--port', String(port), '--nats', 'nats://127.0.0.1:1'])
  const remarks = () => agent.lines.filter((line) => line.includes('not to be reached'))
  await waitFor(() => remarks().length > 0, 10_000, 'a word of the missing bus')
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(remarks()).toHaveLength(1)
})

it('prints what it sees without a bus, for people and for programs', async () => {
  const args = [
    'agent',
    '--pool',
    'main',
    '--proxy',
    'px1',
    '--pid',
    String(busy.pid),
    '--port',
    String(port),
    '--once',
  ]
  expect((await ran(args)).printed).toMatch(/^px1 load [\d.]+: CPU .* of [\d.]+, workers busy .*, receive queue 0 %/)
  const { code, printed } = await ran([...args, '-o', 'json'])
  expect(JSON.parse(printed)).toMatchObject({ proxy: 'px1', source: 'agent', details: { processes: 1 } })
  expect(code).toBe(0)
  expect(
    await ran(['agent', '--pool', 'main', '--proxy', 'px1', '--process', 'no-such-proxy', '--once']),
  ).toMatchObject({ code: 1, remarks: 'no-such-proxy is not running: nothing is told of px1 until it is' })
})

it.each([
  [['--process', 'x'], /^say which proxy this is; --pool is missing/],
  [['--process', 'x', '--pool', 'default'], /^say which proxy this is; --proxy is missing/],
  [['--pool', 'main', '--proxy', 'px1'], /^say once which processes are the proxy: --process kamailio/],
  [['--pool', 'main', '--proxy', 'px1', '--pid', '1', '--port', '0'], /^--port wants a whole number from 1 to 65535/],
])('answers %j with the cure', async (args, sentence) => {
  expect(await ran(['agent', ...args])).toMatchObject({ code: 2, remarks: expect.stringMatching(sentence) })
})
