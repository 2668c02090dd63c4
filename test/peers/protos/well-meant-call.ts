import { randomBytes } from 'node:crypto'
import { requestBytes } from '../../../services/ingress/test/messages.ts'
import type { Sender } from './sender.ts'

/** INVITE, 200, ACK, BYE, 200; how long the INVITE took. */
export async function wellMeantCall(sender: Sender): Promise<number> {
  const { transport, port } = sender
  const via = () => `SIP/2.0/${transport} 127.0.0.1:${port};rport;branch=z9hG4bK${randomBytes(6).toString('hex')}`
  const call = {
    callId: `well-${randomBytes(6).toString('hex')}`,
    from: `<sip:alice@example.com>;tag=${randomBytes(4).toString('hex')}`,
  }
  const begun = performance.now()
  sender.send(requestBytes({ ...call, via: via(), headers: [`Contact: <sip:alice@127.0.0.1:${port}>`] }))
  const ok = await sender.next(200)
  const ms = performance.now() - begun
  const routes = ok.all('Record-Route').toReversed()
  const dialog = {
    ...call,
    to: ok.one('To'),
    uri: /<([^>]*)>/.exec(ok.one('Contact'))?.[1] ?? '',
    headers: routes.map((route) => `Route: ${route}`),
  }
  sender.send(requestBytes({ ...dialog, method: 'ACK', via: via() }))
  sender.send(requestBytes({ ...dialog, method: 'BYE', via: via(), cseq: 2 }))
  await sender.next(200)
  return ms
}
