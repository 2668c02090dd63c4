import { refuseLineBreaks } from '../errors.ts'
import { addViaParams } from './edit.ts'
import { HeaderId } from './header-id.ts'
import { firstLine, lineText } from './lines.ts'
import type { Answerable, HeaderLine, SipRequest, SipResponse } from './message.ts'
import { textOf } from './octets.ts'
import { reasonPhrase } from './reason.ts'
import { statelessTag } from './stateless-tag.ts'

export interface ResponseSpec {
  readonly status: number
  readonly reason?: string | undefined
  /** Used when the request's To has no tag and the status is not 100. Default: `statelessTag(request)`. */
  readonly toTag?: string | undefined
  /** What the request's topmost Via is given before it is copied (RFC 3261, 18.2.1; RFC 3581, 4). */
  readonly received?: string | undefined
  readonly rport?: number | undefined
  readonly extraHeaders?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer | undefined
}

/**
 * A response of our own (RFC 3261, 8.2.6): all Via, From, To, Call-ID and CSeq as they came, Record-Route where the
 * response can make a dialog (12.1.1), Timestamp in a 100 (8.2.6.1).
 */
export function buildResponse(request: Answerable, spec: ResponseSpec): Buffer {
  const { status } = spec
  const isDialogForming = status > 100 && status < 300 && formsDialog(request.method)
  let isTopVia = true
  let text = `SIP/2.0 ${status} ${refuseLineBreaks(spec.reason ?? reasonPhrase(status))}\r\n`
  for (const line of request.lines) {
    if (line.id === HeaderId.Via) {
      text += isTopVia ? topVia(request, line, spec) : lineText(request.bytes, line)
      isTopVia = false
    } else if (line.id === HeaderId.RecordRoute && isDialogForming) text += lineText(request.bytes, line)
    else if (line.id === HeaderId.Timestamp && status === 100) text += lineText(request.bytes, line)
  }
  text += singles(request, spec)
  for (const [name, value] of spec.extraHeaders ?? [])
    text += `${refuseLineBreaks(name)}: ${refuseLineBreaks(value)}\r\n`
  return withBody(text, spec.body)
}

const dialogForming: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY'])
const formsDialog = (method: string): boolean => dialogForming.has(method)

function topVia(request: Answerable, line: HeaderLine, spec: ResponseSpec): string {
  const { bytes } = request
  let text = ''
  let from = line.start
  for (const { at, remove, insert } of addViaParams(request, spec)) {
    text += textOf(bytes, from, at) + String(insert)
    from = at + remove
  }
  return `${text}${textOf(bytes, from, line.valueEnd)}\r\n`
}

function singles(request: Answerable, spec: ResponseSpec): string {
  const { bytes } = request
  const to = firstLine(request, HeaderId.To)
  const needsTag = spec.status !== 100 && request.to?.tag === undefined
  const tag = needsTag ? `;tag=${refuseLineBreaks(spec.toTag ?? statelessTag(request))}` : ''
  return (
    lineText(bytes, firstLine(request, HeaderId.From)) +
    `${textOf(bytes, to.start, to.valueEnd)}${tag}\r\n` +
    lineText(bytes, firstLine(request, HeaderId.CallId)) +
    lineText(bytes, firstLine(request, HeaderId.CSeq))
  )
}

function withBody(head: string, body?: Buffer): Buffer {
  const text = `${head}Content-Length: ${body?.length ?? 0}\r\n\r\n`
  return body === undefined ? Buffer.from(text, 'latin1') : Buffer.concat([Buffer.from(text, 'latin1'), body])
}

/** The ACK that ends an INVITE transaction with a final response other than 2xx (RFC 3261, 17.1.1.3). `invite` as we sent it. */
export function buildAckForNon2xx(invite: SipRequest, response: SipResponse): Buffer {
  const to = lineText(response.bytes, firstLine(response, HeaderId.To))
  return withBody(hopByHop(invite, 'ACK', to))
}

/** The CANCEL of an INVITE that we sent (RFC 3261, 9.1). `extraHeaders` carries a Reason on (RFC 3326). */
export function buildCancel(
  invite: SipRequest,
  extraHeaders: readonly (readonly [name: string, value: string])[] = [],
): Buffer {
  let text = hopByHop(invite, 'CANCEL', lineText(invite.bytes, firstLine(invite, HeaderId.To)))
  for (const [name, value] of extraHeaders) text += `${refuseLineBreaks(name)}: ${refuseLineBreaks(value)}\r\n`
  return withBody(text)
}

// Both have one Via, the topmost of the INVITE, and its Route values: they go where it went.
function hopByHop(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): string {
  const { bytes, topVia: via } = invite
  let text = `${method} ${invite.requestUri} SIP/2.0\r\nVia: ${textOf(bytes, via.start, via.end)}\r\n`
  for (const line of invite.lines) if (line.id === HeaderId.Route) text += lineText(bytes, line)
  text += `Max-Forwards: 70\r\n${lineText(bytes, firstLine(invite, HeaderId.From))}${to}`
  return `${text}${lineText(bytes, firstLine(invite, HeaderId.CallId))}CSeq: ${invite.cseq.number} ${method}\r\n`
}
