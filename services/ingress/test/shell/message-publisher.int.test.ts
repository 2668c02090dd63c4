import { setTimeout as sleep } from 'node:timers/promises'
import { sipReceived, weightsQuestion } from '@siplb/contracts'
import { scan } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import { startNats, waitFor } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { MessagePublisher } from '../../src/shell/message-publisher.ts'
import { connectBus } from '../ingress-under-test.ts'

const phone: Endpoint = { transport: 'udp', address: '192.0.2.1', port: 5070 }
const settings = { publish: 'messages', publishBytes: false } as const
const TICK_MS = 5

function response(callId: number) {
  const lines = [
    ...['SIP/2.0 200 OK', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'From: <sip:a@x>;tag=1'],
    ...['To: <sip:b@x>', `Call-ID: ${callId}`, 'CSeq: 1 INVITE', '', ''],
  ]
  const message = scan(Buffer.from(lines.join('\r\n')))
  if (message.kind !== 'response') throw new Error('not scanned')
  return message
}

it('who begins to listen hears all from then on, in its order; what nobody heard was not sent', async () => {
  await using nats = await startNats()
  const [ingress, listener] = [await connectBus('ingress', 'lb1', nats.url), await connectBus('cli', 'me', nats.url)]
  let unheard = 0
  const publisher = new MessagePublisher({
    ...{ bus: ingress, settings, now: () => performance.now(), onDropped: () => expect.unreachable() },
    onUnheard: (count) => void (unheard += count),
  })
  let said = 0
  let isSaying = true
  const saying = async () => {
    for (; isSaying; await sleep(TICK_MS)) {
      publisher.received(response(said), phone)
      said += 1
      await publisher.flush()
    }
  }
  const talk = saying()
  await sleep(500)
  const heard: number[] = []
  const subscription = listener.subscribe(sipReceived, {}, ({ data }) => void heard.push(Number(data.callId)))
  // The answer to anything that is asked comes after the subscription was taken.
  await listener.request(weightsQuestion, { pool: 'nobody' }, {}, 1000).catch(() => {})
  const since = said
  await sleep(500)
  isSaying = false
  await talk
  publisher.stop()
  const last = said - 1
  await waitFor(() => heard.includes(last), 2000)
  const [first = Number.NaN] = heard
  expect(first).toBeLessThanOrEqual(since)
  expect(heard).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i))
  expect(unheard).toBeGreaterThan(10)
  subscription.stop()
  await Promise.all([ingress.close(), listener.close()])
})
