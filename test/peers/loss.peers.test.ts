import { createSampleProxy, freePort, runSipp, spawnService, startLossyRelay } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { seeded } from '../../sim/engine/random.ts'
import { scenario } from './scenario.ts'

const CALLS = 5000

/** The branches by which each request arrived, by what makes it one: Call-ID, number and method. */
class Transactions {
  readonly #branches = new Map<string, Set<string>>()

  note(octets: Buffer): void {
    const text = octets.toString('latin1')
    const cseq = /^CSeq: *(\d+ (?:INVITE|BYE))\r$/m.exec(text)?.[1]
    if (text.startsWith('SIP/2.0') || text.startsWith('ACK') || cseq === undefined) return
    const key = `${/^Call-ID: *(.*)\r$/m.exec(text)?.[1]} ${cseq}`
    const branches = this.#branches.get(key) ?? new Set()
    branches.add(/^Via: .*;branch=([^;\r]+)/m.exec(text)?.[1] ?? '')
    this.#branches.set(key, branches)
  }

  get requests(): number {
    return this.#branches.size
  }

  /** Those that arrived by more than one branch. */
  get twice(): string[] {
    return [...this.#branches].filter(([, branches]) => branches.size > 1).map(([key]) => key)
  }
}

it('with 10 % loss each way on both sides, duplicates and reordering, 999 of 1000 calls complete, each request by one transaction', async () => {
  await using stack = new AsyncDisposableStack()
  const random = seeded(1)
  const bad = { loss: 0.1, duplicates: 0.02, reordered: 0.05, random }
  const called = stack.use(await createSampleProxy())
  const transactions = new Transactions()
  const proxySide = stack.use(
    await startLossyRelay({
      ...bad,
      target: called,
      onDatagram: (octets, way) => {
        if (way === 'to-target') transactions.note(octets)
      },
    }),
  )
  const port = await freePort('udp')
  stack.use(
    await spawnService('ingress', {
      config: {
        nats: { servers: ['nats://127.0.0.1:1'] },
        http: { port: 0 },
        ingress: { listen: [`udp://127.0.0.1:${port}`] },
        // One: for its silence there is nobody else to be tried, so that a second branch could only be a fault.
        pools: { default: { proxies: [{ id: 'px1', uri: `sip:127.0.0.1:${proxySide.port}` }] } },
      },
    }),
  )
  const callerSide = stack.use(await startLossyRelay({ ...bad, target: { address: '127.0.0.1', port } }))
  const caller = await runSipp({
    scenario: scenario('uac-lossy'),
    target: callerSide,
    ...{ calls: CALLS, ratePerSecond: 100, pauseMs: 300, timeoutMs: 170_000 },
    // What comes late and in another order is not to end a call: SIPp would, and phones do not.
    args: ['-default_behaviors', 'all,-abortunexp'],
  })
  console.log(
    'loss:',
    JSON.stringify({ ...caller, errors: '' }),
    JSON.stringify({ callerSide: callerSide.counters(), proxySide: proxySide.counters() }),
  )
  expect(caller.created).toBe(CALLS)
  expect(caller.successful).toBeGreaterThanOrEqual(0.999 * CALLS)
  expect(transactions.twice).toEqual([])
  expect(transactions.requests).toBeGreaterThanOrEqual(2 * 0.999 * CALLS)
  const { passed, lost, duplicated, late } = proxySide.counters()
  expect(lost / (passed + lost)).toBeCloseTo(0.1, 1)
  expect(Math.min(duplicated, late)).toBeGreaterThan(100)
}, 180_000)
