import { HeaderId, parseVia, type SipRequest } from '@siplb/sip'
import type { Way } from '../../services/ingress/src/domain/affinity.ts'
import type { Forwarding } from '../../services/ingress/src/domain/edits.ts'
import type { HandledRequest, Sent } from './handle-request.ts'
import { judgeKept } from './judge.ts'
import { linesNamed, must, nameOf, readPlainly, valueOf } from './plain.ts'
import { via } from './pass-on.ts'
import { taken } from './taken.ts'

export function judgeRequest(request: SipRequest, handled: HandledRequest): void {
  for (const one of handled.sent) judgeSent(request, one)
  for (const { status, bytes } of handled.answers) judgeAnswer(request, status, bytes)
  if (handled.hopByHop === undefined) return
  judgeHopByHop(request, taken(handled.hopByHop.cancel, 'request'), 'CANCEL')
  judgeHopByHop(request, taken(handled.hopByHop.ack, 'request'), 'ACK')
}

function judgeSent(request: SipRequest, { way, forwarding, bytes }: Sent): void {
  const { received, replaceRoute, keepsRoutes = false } = forwarding
  const hops = request.maxForwards
  const isRouted =
    !keepsRoutes && (way.isStrict || way.ownRoutes > 0 || replaceRoute !== undefined || goesToStrict(way, forwarding))
  const top = readPlainly(request.bytes).lines.findIndex((line) => nameOf(line) === 'via')
  judgeKept(request.bytes, bytes, addedLines(request, way, forwarding), (line, place) => {
    const name = nameOf(line)
    if (name === 'max-forwards' || (name === 'route' && isRouted)) return true
    return place === top && Object.keys(received).length > 0
  })
  const after = taken(bytes, 'request')
  must(after.topVia.branch === 'z9hG4bK.sl.lb1.0.unique', 'our Via is the topmost')
  must(after.viaCount === request.viaCount + 1, 'it is one Via more')
  must(after.maxForwards === (hops === undefined ? 70 : hops - 1), 'Max-Forwards is one less')
  judgeRoutes(request, after, way, forwarding)
  judgeOldTop(request, after, received)
}

function addedLines(request: SipRequest, way: Way, forwarding: Forwarding): string[] {
  const { recordRoutes = [], path, replaceRoute, isStream = false } = forwarding
  const needsLength = isStream && request.line(HeaderId.ContentLength) === undefined
  return [
    `Via: ${via}`,
    ...recordRoutes.map((route) => `Record-Route: ${route}`),
    ...(path === undefined ? [] : [`Path: ${path}`]),
    ...(request.maxForwards === undefined ? ['Max-Forwards: 70'] : []),
    ...(replaceRoute === undefined ? [] : [`Route: ${replaceRoute}`]),
    ...(goesToStrict(way, forwarding) && !way.isStrict ? [`Route: <${request.requestUri}>`] : []),
    ...(needsLength ? [`Content-Length: ${request.bytes.length - request.bodyStart}`] : []),
  ]
}

function judgeRoutes(request: SipRequest, after: SipRequest, way: Way, forwarding: Forwarding): void {
  const expected = expectedWay(request, way, forwarding)
  must(
    after.values(HeaderId.Route).join('\n') === expected.routes.join('\n'),
    'the Route values below ours are as they were',
  )
  if (expected.uri !== undefined)
    return must(after.requestUri === expected.uri, 'the Request-URI is the one that was meant')
  const { uri } = after
  must(uri.host === request.uri.host && uri.user === request.uri.user, 'the Request-URI means the same')
  must(uri.port === undefined && !uri.params.has('maddr'), 'what led to us is gone from it')
}

/** RFC 3261, 16.4 and 16.6. No `uri`: what led to us by `maddr` goes. */
function expectedWay(
  request: SipRequest,
  way: Way,
  forwarding: Forwarding,
): { routes: string[]; uri: string | undefined } {
  const { replaceRoute, keepsRoutes = false } = forwarding
  const all = request.values(HeaderId.Route)
  if (keepsRoutes) return { routes: all, uri: request.requestUri }
  const below = all.slice(way.ownRoutes)
  const meant = way.routes.at(-1)?.text
  if (goesToStrict(way, forwarding)) {
    return {
      routes: [...below.slice(1), ...(way.isStrict ? [] : [`<${request.requestUri}>`])],
      uri: way.routes[0]?.text,
    }
  }
  if (way.isStrict) return { routes: below.slice(0, -1), uri: meant }
  const routes = replaceRoute === undefined ? below : [replaceRoute, ...below.slice(1)]
  return { routes, uri: way.hasOwnMaddr ? undefined : request.requestUri }
}

function goesToStrict(way: Way, { replaceRoute, keepsRoutes = false }: Forwarding): boolean {
  const routers = way.isStrict ? way.routes.slice(0, -1) : way.routes
  return replaceRoute === undefined && !keepsRoutes && routers[0]?.isLoose === false
}

/** Of the Via that was the topmost, only `received` and `rport` may differ. */
function judgeOldTop(request: SipRequest, after: SipRequest, received: Forwarding['received']): void {
  const line = after.lines.filter(({ id }) => id === HeaderId.Via)[1]
  const old = line === undefined ? undefined : parseVia(after.bytes, line.valueStart, line.valueEnd)
  must(line !== undefined && old !== undefined, 'the Via that was the topmost is still one')
  if (received.received !== undefined) must(old.received === received.received, 'it says where it came from')
  if (received.rport !== undefined) must(old.rport === received.rport, 'it says from which port')
  const { topVia } = request
  must(
    bare(old.bytes, old.start, old.end) === bare(topVia.bytes, topVia.start, topVia.end),
    'nothing else of it was changed',
  )
  const before = request.line(HeaderId.Via)
  const tail = after.bytes.toString('latin1', old.end, line.end)
  must(
    before !== undefined && tail === request.bytes.toString('latin1', topVia.end, before.end),
    'nor what stands behind it',
  )
}

const RECEIVED = /;\s*(received|rport)(?![A-Za-z0-9.!%*_+`'~-])(\s*=\s*("(\\[^]|[^"\\])*"|[^;,"<>\0-\x20\x7f]+))?/gi
const bare = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('latin1', start, end).replaceAll(RECEIVED, '')

/** RFC 3261, 8.2.6.2: what an answer copies is octet for octet the same. */
function judgeAnswer(request: SipRequest, status: number, bytes: Buffer): void {
  const answer = taken(bytes, 'response')
  must(answer.status === status, 'the answer has its status')
  must(answer.viaCount === request.viaCount, 'it has the Via of the request')
  const before = readPlainly(request.bytes)
  const after = readPlainly(bytes)
  const same = (name: string, from: number) =>
    linesNamed(before, name).slice(from).map(trimmed).join('\n') ===
    linesNamed(after, name).slice(from).map(trimmed).join('\n')
  for (const name of ['from', 'call-id', 'cseq']) must(same(name, 0), `the answer has the ${name} of the request`)
  must(same('via', 1), 'the answer has the lower Via of the request')
  must(request.to.tag !== undefined || status === 100 || answer.to.tag !== undefined, 'the answer has a To tag')
  const [to = ''] = linesNamed(before, 'to')
  must(linesNamed(after, 'to')[0]?.startsWith(trimmed(to)) === true, 'the answer has the To of the request')
}

// Blanks behind the value are no part of it.
const trimmed = (line: string): string => line.replace(/[ \t\r\n]+$/, '')

/** RFC 3261, 9.1 and 17.1.1.3. */
function judgeHopByHop(request: SipRequest, made: SipRequest, method: string): void {
  must(made.method === method && made.cseq.method === method, `it is a ${method}`)
  must(made.viaCount === 1 && made.topVia.branch === 'z9hG4bK.sl.lb1.0.unique', `the ${method} has one Via, ours`)
  must(
    made.callId === request.callId && made.cseq.number === request.cseq.number,
    `the ${method} belongs to its INVITE`,
  )
  must(made.from.tag === request.from.tag, `the ${method} has the From of its INVITE`)
  const [from] = linesNamed(readPlainly(made.bytes), 'from').map(valueOf)
  must(from === linesNamed(readPlainly(request.bytes), 'from').map(valueOf)[0], `the ${method} has it octet for octet`)
}
