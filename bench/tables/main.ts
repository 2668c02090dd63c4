import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { startNats, waitFor } from '@siplb/testkit'
import { startIngress } from '../../services/ingress/test/ingress-under-test.ts'

const HELP = `npm run bench:tables

How long the event loop of an ingress stands still while it takes over a weight table of 100, 1,000 and 10,000 proxies from the
store: the longest turn of each of eleven tables, in milliseconds, beside as long a time without any. Nothing is asserted.
`
const SIZES = [0, 100, 1000, 10_000]
const ROUNDS = 11
const AFTER_MS = 400

if (process.argv.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}

/** The longest turn of this event loop until it is asked for. */
function watchTurns(): () => number {
  let longest = 0
  let last = performance.now()
  let isWatching = true
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (isWatching) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isWatching = false
    return longest
  }
}

const state = await mkdtemp(join(tmpdir(), 'siplb-bench-'))
await using nats = await startNats()
const proxies = [{ id: 'px0', uri: 'sip:127.1.0.0:5080' }]
await using ingress = await startIngress({
  nats: nats.url,
  prefix: 'siplb.v1',
  pools: { default: { proxies } },
  stateDir: state,
})
const writer = new Worker(new URL('writer.ts', import.meta.url), { workerData: nats.url })
await once(writer, 'message')

async function longestTurn(count: number): Promise<number> {
  const longest = watchTurns()
  if (count > 0) {
    writer.postMessage(count)
    const seq: unknown = (await once(writer, 'message')).at(0)
    await waitFor(() => ingress.revision('default')?.seq === seq, 10_000, 'the table')
  }
  await sleep(AFTER_MS)
  return longest()
}

console.log('| proxies | longest turn, ms: median | worst of all |\n|---:|---:|---:|')
for (const count of SIZES) {
  await longestTurn(count) // sockets are opened at the first one
  const all: number[] = []
  for (let i = 0; i < ROUNDS; i++) all.push(await longestTurn(count))
  const sorted = all.toSorted((a, b) => a - b)
  console.log(`| ${count} | ${sorted[ROUNDS >> 1]?.toFixed(1)} | ${sorted.at(-1)?.toFixed(1)} |`)
}
writer.postMessage('end')
await rm(state, { recursive: true })
