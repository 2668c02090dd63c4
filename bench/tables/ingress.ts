import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startIngress } from '../../services/ingress/test/ingress-under-test.ts'

/*
 * The ingress that takes tables over, in a process with nothing else in it. Its argument is the address of NATS. Told a number of
 * milliseconds, it answers after that time with the longest turn of its event loop, and which table it has then.
 */
export interface Watched {
  readonly longest: number
  readonly seq: number
}

/** The longest turn of this event loop until it is asked for, in milliseconds. */
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

const stateDir = await mkdtemp(join(tmpdir(), 'siplb-bench-'))
await using ingress = await startIngress({
  ...{ nats: process.argv[2] ?? '', prefix: 'siplb.v1', stateDir },
  pools: { default: { proxies: [{ id: 'px0', uri: 'sip:127.1.0.0:5080' }] } },
})

process.on('message', (ms: number) => {
  const longest = watchTurns()
  const answer = (): Watched => ({ longest: longest(), seq: ingress.revision('default')?.seq ?? 0 })
  setTimeout(() => process.send?.(answer()), ms)
})
process.send?.('ready')
await new Promise((resolve) => process.once('disconnect', resolve))
await rm(stateDir, { recursive: true })
