import { expect, it } from 'vitest'
import { flowText, readFlow } from '../../src/domain/flow-text.ts'
import type { Endpoint } from '@siplb/sip'

it.each<Endpoint>([
  { transport: 'tcp', address: '192.0.2.1', port: 40_000 },
  { transport: 'wss', address: '2001:db8::1', port: 443 },
  { transport: 'tls', address: '2001:db8::1', port: 443, connection: 'HnYk3-_v' },
])('a flow comes back as it was written: %o', (flow) => {
  expect(readFlow(flowText(flow))).toEqual(flow)
})

it.each(['', 'tcp', 'tcp:1.2.3.4', 'sctp:1.2.3.4:5', 'tcp:1.2.3.4:0', 'tcp:1.2.3.4:x', 'tcp::5', 'udp:1.2.3.4:70000'])(
  'is none: %s',
  (text) => expect(readFlow(text)).toBeUndefined(),
)
