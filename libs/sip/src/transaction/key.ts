import { isCookie } from '../branch.ts'
import type { SipRequest, SipResponse } from '../message/message.ts'
import { textOf } from '../message/octets.ts'

/*
 * Keys are text, their pieces parted by line feeds: none of the pieces can hold one, so no sender can make up a key
 * that reads as another.
 */

/**
 * The server transaction a request belongs to (RFC 3261, 17.2.3): branch, sent-by and method, an ACK counting as its
 * INVITE. Without a usable branch, what RFC 2543 compared.
 */
export function serverKey(request: SipRequest): string {
  return keyFor(request, request.method === 'ACK' ? 'INVITE' : request.method)
}

/** The INVITE transaction that a CANCEL means (RFC 3261, 9.2). */
export function cancelTargetKey(cancel: SipRequest): string {
  return keyFor(cancel, 'INVITE')
}

function keyFor(request: SipRequest, method: string): string {
  const via = request.topVia
  const branch = via.branch
  return isCookie(branch) ? `${branch}\n${via.sentBy}\n${method}` : oldKey(request, method)
}

// The To tag is left out: the ACK carries the one of our response, the INVITE none. Call-ID, From tag and CSeq number
// tell requests of one dialog apart without it.
function oldKey(request: SipRequest, method: string): string {
  const { bytes, topVia: via, callId, cseq, from, requestUri } = request
  const viaText = textOf(bytes, via.start, via.end)
  return `2543\n${method}\n${callId}\n${cseq.number}\n${from.tag ?? ''}\n${requestUri}\n${viaText}`
}

/** The client transaction a response belongs to (RFC 3261, 17.1.3). */
export function clientKey(response: SipResponse): string {
  return clientKeyOf(response.topVia.branch ?? '', response.cseq.method)
}

/** The same, for whoever starts the transaction. */
export function clientKeyOf(branch: string, method: string): string {
  return `${branch}\n${method}`
}
