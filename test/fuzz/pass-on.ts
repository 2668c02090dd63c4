import {
  buildResponse,
  clientKey,
  readOverload,
  serverKey,
  type Scanned,
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import { admit, type Admission, type Surroundings } from '../../services/ingress/src/domain/admission.ts'
import { readWay, type Way } from '../../services/ingress/src/domain/affinity.ts'
import { forwardRequest, ownVia, receivedParams, relayResponse } from '../../services/ingress/src/domain/edits.ts'
import { retryAfterMs } from '../../services/ingress/src/domain/retry-after.ts'
import { TokenSigner } from '../../services/ingress/src/domain/token-signer.ts'
import { tokenKey } from './seeds.ts'

const tokens = new TokenSigner([tokenKey])

export const source = { transport: 'udp', address: '192.0.2.77', port: 5077 } as const

const around: Surroundings = {
  isDraining: false,
  isOurs: (host) => host.startsWith('lb'),
  isLooped: () => false,
  originOf: () => undefined,
  isProxyAddress: () => true,
  remembered: () => undefined,
  proxyAt: () => undefined,
  isSelf: () => true,
  fellowUri: () => undefined,
  isFellow: () => false,
  isHandedOver: () => false,
}

export const via = ownVia({ transport: 'udp', host: '198.51.100.1:5060' }, 'z9hG4bK.sl.lb1.0.unique', true)
export const recordRoutes = ['<sip:token@198.51.100.1:5060;lr>', '<sip:token@198.51.100.1:5060;transport=tcp;lr>']

export function wayOf(request: SipRequest): Way {
  return readWay(request, around, tokens)
}

export function admissionOf(request: SipRequest, way: Way): Admission {
  return admit(request, way, source, around)
}

/** The way of one message through the ingress, as far as it is pure: what its time is taken of. */
export function passOn(message: Scanned): void {
  if (message.kind === 'malformed' && message.message !== undefined) {
    buildResponse(message.message, { status: message.status, ...receivedParams(message.message, source) })
  }
  if (message.kind === 'request') passRequest(message)
  if (message.kind === 'response') passResponse(message)
}

function passRequest(request: SipRequest): void {
  serverKey(request)
  const received = receivedParams(request, source)
  const way = wayOf(request)
  const admission = admissionOf(request, way)
  if (admission.kind === 'answer' || admission.kind === 'health') {
    const { status, headers = [] } = admission.kind === 'health' ? { status: 200 } : admission
    buildResponse(request, { status, extraHeaders: headers, ...received })
  } else forwardRequest(request, way, { via, received, recordRoutes })
}

function passResponse(response: SipResponse): void {
  void [clientKey(response), retryAfterMs(response), readOverload(response.topVia)]
  if (response.topVia.hasMore) relayResponse(response)
}
