import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { flagsFor } from '@siplb/children'
import { startNats } from '@siplb/testkit'
import { BALANCER_CORE, pin, toolCores } from '../calls/pinning.ts'
import type { Watched } from './ingress.ts'
import { connectWriter } from './writer.ts'

const HELP = `npm run bench:tables

How long the event loop of an ingress stands still while it takes over a weight table of 100, 1,000 and 10,000 proxies from the
store: the longest turn of each of eleven tables, in milliseconds, beside as long a time without any. The ingress runs with the flags
that it has in service and has core 0 for itself; who writes the tables, and the server that keeps them, have the others. Nothing is
asserted.
`
const SIZES = [0, 100, 1000, 10_000]
const ROUNDS = 11
const WATCHED_MS = 800
const INGRESS = join(import.meta.dirname, '..', '..', 'services', 'ingress', 'src', 'main.ts')

if (process.argv.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}

await using nats = await startNats()
const writer = await connectWriter(nats.url)
const ingress = fork(join(import.meta.dirname, 'ingress.ts'), [nats.url], { execArgv: flagsFor(INGRESS) })
await once(ingress, 'message')
for (const pid of [process.pid, nats.pid]) pin(pid, toolCores(availableParallelism()))
pin(ingress.pid ?? 0, BALANCER_CORE)

async function longestTurn(count: number): Promise<number> {
  const watched = watch(ingress)
  const seq = count > 0 ? await writer.write(count) : undefined
  const found = await watched
  if (seq !== undefined && found.seq !== seq)
    throw new Error(`the ingress did not use table ${seq} in ${WATCHED_MS} ms`)
  return found.longest
}

function watch(child: ChildProcess): Promise<Watched> {
  return new Promise((resolve) => {
    child.once('message', resolve)
    child.send(WATCHED_MS)
  })
}

console.log('| proxies | longest turn, ms: median | worst of all |\n|---:|---:|---:|')
for (const count of SIZES) {
  await longestTurn(count) // sockets are opened at the first one
  const all: number[] = []
  for (let i = 0; i < ROUNDS; i++) all.push(await longestTurn(count))
  const sorted = all.toSorted((a, b) => a - b)
  console.log(`| ${count} | ${sorted[ROUNDS >> 1]?.toFixed(1)} | ${sorted.at(-1)?.toFixed(1)} |`)
}
ingress.disconnect()
await once(ingress, 'exit')
await writer.close()
