import { hash } from 'node:crypto'
import { scan, type SipRequest } from '@siplb/sip'
import type { Way } from '../services/ingress/src/domain/affinity.ts'
import { forwardRequest, ownVia, relayResponse } from '../services/ingress/src/domain/edits.ts'
import { routeTo } from '../services/ingress/src/domain/record-route.ts'
import { readToken, writeToken, type RouteToken } from '../services/ingress/src/domain/route-token.ts'
import { createTokenKey } from '../services/ingress/src/shell/token-keys.ts'
import type { Suite } from './bench.ts'
import { answerTo, inviteBytes, requestOf, responseOf } from './samples.ts'

const side = { transport: 'udp', host: '192.0.2.50:5060' } as const
const branch = 'z9hG4bK.sl.lb1.0.0123456789abcdef0123'
const noRoutes: Way = {
  ...{ ownRoutes: 0, routes: [], isStrict: false, hasOwnMaddr: false, token: undefined, isForged: false },
}
const key = createTokenKey('a secret of thirty-two characters')
const token: RouteToken = {
  ...{ kind: 'inbound', pool: 'default', proxy: 'px1', callerTag: 0x1234_5678, instance: 'lb1', worker: 0, flow: '' },
}
const callId = '1.bench@example.com'
const tokenText = writeToken(token, callId, key)

function forward(request: SipRequest): Buffer {
  return forwardRequest(request, noRoutes, {
    via: ownVia(side, branch, true),
    received: { received: '192.0.2.1', rport: 5070 },
    recordRoutes: [routeTo(tokenText, side, false)],
  })
}

const okBytes = answerTo(forward(requestOf(inviteBytes)), '200 OK')
const ok = responseOf(okBytes)

export const suite: Suite = {
  benches: [
    { name: `scan of an INVITE of ${inviteBytes.length} octets`, run: () => scan(inviteBytes) },
    { name: 'scan and forwardRequest of it', run: () => forward(requestOf(inviteBytes)) },
    { name: `scan of its 200, ${okBytes.length} octets`, run: () => scan(okBytes) },
    { name: 'relayResponse', run: () => relayResponse(ok) },
    { name: 'route token written', run: () => writeToken(token, callId, key) },
    { name: 'route token read', run: () => readToken(tokenText, callId, [key]) },
    {
      name: 'one-shot SHA-256 of 64 octets, for comparison',
      run: () => hash('sha256', inviteBytes.subarray(0, 64), 'buffer'),
    },
  ],
}
