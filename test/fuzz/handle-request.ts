import {
  buildAckForNon2xx,
  buildCancel,
  buildResponse,
  cancelTargetKey,
  HeaderId,
  serverKey,
  statelessTag,
  type SipRequest,
} from '@siplb/sip'
import type { Way } from '../../services/ingress/src/domain/affinity.ts'
import { forwardRequest, receivedParams, type Forwarding } from '../../services/ingress/src/domain/edits.ts'
import { admissionOf, recordRoutes, source, via, wayOf } from './pass-on.ts'
import { taken } from './taken.ts'

const standIn = '<sip:198.51.100.9:5060;lr>'

export interface Sent {
  readonly way: Way
  readonly forwarding: Forwarding
  readonly bytes: Buffer
}

/** All that is made of one request. */
export interface HandledRequest {
  readonly sent: readonly Sent[]
  readonly answers: readonly { readonly status: number; readonly bytes: Buffer }[]
  /** Of the first that was sent. */
  readonly hopByHop?: { readonly cancel: Buffer; readonly ack: Buffer }
}

/** All that the ingress may make of a request. */
export function handleRequest(request: SipRequest): HandledRequest {
  const way = wayOf(request)
  const admission = admissionOf(request, way)
  const received = receivedParams(request, source)
  const answer = (status: number, extraHeaders: readonly (readonly [string, string])[] = []) => ({
    status,
    bytes: buildResponse(request, { status, extraHeaders, ...received }),
  })
  const refused = admission.kind === 'answer' ? [answer(admission.status, admission.headers)] : []
  const answers = [answer(100), answer(180), answer(486), ...refused]
  for (const id of Object.values(HeaderId)) request.values(id)
  void [request.viaCount, serverKey(request), cancelTargetKey(request), statelessTag(request)]
  const sent = request.maxForwards === 0 ? [] : forwardings(way, received).map((one) => send(request, ...one))
  const [first] = sent
  return { answers, sent, ...(first === undefined ? {} : { hopByHop: hopByHop(first) }) }
}

function send(request: SipRequest, way: Way, forwarding: Forwarding): Sent {
  return { way, forwarding, bytes: forwardRequest(request, way, forwarding) }
}

/** What goes after a request of ours: along its way, and no further. */
function hopByHop({ bytes }: Sent): NonNullable<HandledRequest['hopByHop']> {
  const ours = taken(bytes, 'request')
  const refusal = taken(buildResponse(ours, { status: 486 }), 'response')
  return { cancel: buildCancel(ours), ack: buildAckForNon2xx(ours, refusal) }
}

/** As it goes, and as it would to other places: by a stream, to another instance, behind a strict router, past a proxy that is gone. */
function forwardings(way: Way, received: Forwarding['received']): [Way, Forwarding][] {
  const all: [Way, Forwarding][] = [
    [way, { via, received, recordRoutes }],
    [way, { via, received, path: standIn, isStream: true, keepsRoutes: true }],
  ]
  if (way.routes.length === 0) return all
  const direct = { ...way, isStrict: false }
  return [
    ...all,
    [
      { ...way, isStrict: !way.isStrict },
      { via, received: {} },
    ],
    [direct, { via, received: {}, replaceRoute: standIn, isStream: true }],
  ]
}
