import { clientKey, HeaderId, readOverload, scan, type SipResponse } from '@siplb/sip'
import { relayResponse } from '../../services/ingress/src/domain/edits.ts'
import { retryAfterMs } from '../../services/ingress/src/domain/retry-after.ts'
import { wide } from './taken.ts'
import { judgeKept } from './judge.ts'
import { must, nameOf, readPlainly } from './plain.ts'

/** By UDP, and by a stream. */
interface Relayed {
  readonly datagram: Buffer
  readonly stream: Buffer
}

/** What the ingress does with a response of a proxy; undefined where our Via is the only one, as then nobody gets it. */
export function handleResponse(response: SipResponse): Relayed | undefined {
  void [clientKey(response), retryAfterMs(response), readOverload(response.topVia), response.reason, response.viaCount]
  for (const id of Object.values(HeaderId)) response.values(id)
  return response.topVia.hasMore
    ? { datagram: relayResponse(response), stream: relayResponse(response, true) }
    : undefined
}

export function judgeResponse(response: SipResponse, relayed: Relayed | undefined): void {
  if (relayed === undefined) return
  judgeRelayed(response, relayed.datagram, [])
  const length = response.bytes.length - response.bodyStart
  judgeRelayed(
    response,
    relayed.stream,
    response.line(HeaderId.ContentLength) === undefined ? [`Content-Length: ${length}`] : [],
  )
}

function judgeRelayed(response: SipResponse, relayed: Buffer, added: readonly string[]): void {
  const old = readPlainly(response.bytes)
  const now = readPlainly(relayed)
  must(now.startLine === old.startLine, 'the status line is the same')
  judgeKept(response.bytes, relayed, added, (line) => nameOf(line) === 'via')
  judgeVias(response, relayed)
}

/** The topmost Via is gone; the others are as they were, but for overload feedback. */
function judgeVias(response: SipResponse, relayed: Buffer): void {
  const below = response.values(HeaderId.Via).slice(1)
  const after = scan(relayed, wide)
  // What a proxy wrote below our Via is for others to judge; it goes on as it is.
  if (after.kind === 'malformed' && after.problem === 'via') return
  must(after.kind === 'response', 'what is left is a response')
  must(after.status === response.status && after.callId === response.callId, 'and the same one')
  const vias = after.values(HeaderId.Via)
  must(vias.length === below.length, 'one Via is gone, and no other')
  vias.forEach((via, i) =>
    must(via === below[i] || isWithoutFeedback(via, below[i] ?? ''), 'the others are as they were'),
  )
}

const FEEDBACK =
  /\s*;\s*oc(-algo|-validity|-seq)?(?![A-Za-z0-9.!%*_+`'~-])(\s*=\s*("(\\[^]|[^"\\])*"|[^;,"<>\0-\x20\x7f]+))?/gi
const isWithoutFeedback = (now: string, before: string): boolean =>
  now.replaceAll(FEEDBACK, '').trim() === before.replaceAll(FEEDBACK, '').trim()
