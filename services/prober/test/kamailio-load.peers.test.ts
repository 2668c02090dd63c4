import { createSocket } from 'node:dgram'
import type { Bus } from '@siplb/bus'
import { buildRequest } from '@siplb/sip'
import { startKamailio, startNats, waitFor, type Kamailio, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectBus, startLoop } from './loop-under-test.ts'
import { startUdpProxy, type UdpProxy } from './udp-proxy.ts'

let nats: TestNats
let bus: Bus
let silent: UdpProxy
let kamailio: Kamailio
beforeAll(async () => {
  nats = await startNats()
  bus = await connectBus(nats.url)
  silent = await startUdpProxy(() => {})
  kamailio = await startKamailio({ next: { address: '127.0.0.1', port: silent.port } })
})
afterAll(async () => {
  await kamailio.stop()
  await silent.close()
  await bus.close()
  await nats.stop()
})

/** Calls that Kamailio forwards and nobody ever answers: transactions without a final answer. */
function call(count: number): void {
  const socket = createSocket('udp4')
  let sent = 0
  for (let i = 0; i < count; i++) {
    const id = `${process.pid}-${i}`
    const invite = buildRequest({
      method: 'INVITE',
      uri: 'sip:bob@example.com',
      via: { transport: 'UDP', sentBy: '127.0.0.1:9', branch: `z9hG4bK${id}` },
      from: `<sip:alice@example.com>;tag=${id}`,
      to: '<sip:bob@example.com>',
      callId: id,
      cseq: 1,
      contact: '<sip:alice@127.0.0.1:9>',
    })
    socket.send(invite, kamailio.port, kamailio.address, () => {
      if (++sent === count) socket.close()
    })
  }
}

it('a Kamailio answers probes by TCP', async () => {
  const { port } = new URL(kamailio.rpcUrl)
  const uri = `sip:127.0.0.1:${port};transport=tcp`
  await using loop = await startLoop(bus, 'kamailio-tcp', [{ id: 'px1', uri }], { intervalMs: 100 })
  await waitFor(() => loop.samples.length >= 10, 10_000)
  for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'answered', status: 200, attempt: 1 })
})

it('a real Kamailio answers probes, tells its load in the header and by JSON-RPC, and is refused when it is gone', async () => {
  const load = { source: 'kamailio', url: kamailio.rpcUrl, capacity: 20, intervalMs: 200, expiryMs: 5000 } as const
  await using loop = await startLoop(bus, 'kamailio', [{ id: 'px1', uri: kamailio.uri, load }])
  const loadOf = (source: string) => loop.loads.findLast((one) => one.source === source)

  await waitFor(() => loop.samples.length >= 2 && loadOf('kamailio') && loadOf('header'), 5000)
  for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'answered', status: 200, attempt: 1 })
  expect(loadOf('kamailio')).toMatchObject({ load: 0, details: { active: 0, inuse: 0, capacity: 20 } })
  expect(loadOf('header')).toMatchObject({ load: 0, details: { active: 0 } })

  call(5)
  await waitFor(() => loadOf('kamailio')?.load === 0.25 && loadOf('header')?.load === 0.25, 5000)
  expect(loadOf('kamailio')?.details).toMatchObject({ active: 5, capacity: 20 })

  await kamailio.stop('SIGKILL')
  await waitFor(() => loop.samples.at(-1)?.outcome === 'refused', 5000)
  const reported = loop.loads.length
  await waitFor(async () => /source="kamailio"\} [2-9]/.test(await failures(loop.registry)), 5000)
  expect(loop.loads).toHaveLength(reported)
})

async function failures(registry: { metrics(): Promise<string> }): Promise<string> {
  const lines = (await registry.metrics()).split('\n')
  return lines.filter((line) => line.startsWith('siplb_load_failures_total')).join('\n')
}
