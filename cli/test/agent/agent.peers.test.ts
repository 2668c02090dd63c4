import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { createSampleProxy, startKamailio, startStack, waitFor } from '@siplb/testkit'
import { expect, it } from 'vitest'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

it('a Kamailio whose workers are held loses weight by its receive queue alone', async () => {
  await using quick = await createSampleProxy()
  await using watched = await createSampleProxy()
  await using kamailio = await startKamailio({ next: quick })
  // Both proxies answer every probe at once: only the agent tells that px2 has no more to give.
  const proxies = [
    { id: 'px1', uri: quick.uri },
    { id: 'px2', uri: watched.uri },
  ]
  await using stack = await startStack({ pools: { default: { proxies } } })
  const lines: string[] = []
  const target = ['--pid', String(kamailio.pid), '--port', String(kamailio.port)]
  const args = [main, 'agent', '--pool', 'default', '--proxy', 'px2', ...target, '--interval-ms', '250']
  const agent = startChild(process.execPath, [...args, '--nats', stack.nats.url], {
    onLine: (line) => lines.push(line),
  })
  const row = async () => (await stack.table()).proxies.find(({ id }) => id === 'px2')
  try {
    await waitFor(async () => (await row())?.signals.load !== undefined, 20_000, 'a load of px2')
    expect((await row())?.weight).toBe(100)
    await kamailio.setDelay(1000)
    const socket = createSocket('udp4')
    for (let i = 0; i < 600; i++) socket.send(inviteOf(i), kamailio.port, kamailio.address)
    await waitFor(async () => ((await row())?.weight ?? 100) < 50, 20_000, 'the weight to fall')
    socket.close()
    expect(await row()).toMatchObject({ reason: expect.stringMatching(/load/) })
  } finally {
    agent.kill('SIGTERM')
    await agent.exited
  }
})

function inviteOf(i: number): string {
  const lines = [
    'INVITE sip:bob@example.com SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${process.pid}-${i}`,
    'Max-Forwards: 70',
    'From: <sip:alice@example.com>;tag=1',
    'To: <sip:bob@example.com>',
    `Call-ID: ${process.pid}-${i}`,
    'CSeq: 1 INVITE',
    `X-Padding: ${'x'.repeat(800)}`,
    'Content-Length: 0',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
