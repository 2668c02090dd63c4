import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { poolId, proxyId } from './ids.ts'

const text = z.string().max(4096)

/** One SIP message that an ingress received. */
export const sipMessage = z.object({
  kind: z.enum(['request', 'response']),
  method: z.string().max(64).describe('Of a response: the method in its CSeq.'),
  status: z.int().min(100).max(699).optional(),
  callId: text,
  from: text,
  to: text,
  requestUri: text.optional(),
  source: z.string().max(64).describe('address:port that it came from.'),
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  pool: poolId.optional(),
  proxy: proxyId.optional().describe('The proxy that it came from or belongs to.'),
  bytes: z.base64().optional().describe('The message itself, where ingress.publishBytes says so.'),
})

export type SipMessage = z.infer<typeof sipMessage>

export const sipReceived = eventChannel({
  address: 'evt.sip.received',
  type: 'siplb.sip.received.v1',
  summary:
    'Every SIP message that an ingress received, less retransmissions. In batches, while somebody hears them; who begins to gets the first ones some 100 ms late.',
  data: sipMessage,
})
