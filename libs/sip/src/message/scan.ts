import { parseRoutes, type RouteValue } from '../header/route.ts'
import { parseUri } from '../header/uri.ts'
import type { Uri } from '../header/uri.ts'
import { readFacts } from './facts.ts'
import type { Facts } from './facts.ts'
import { HeaderId } from './header-id.ts'
import { defaultLimits } from './limits.ts'
import type { Limits } from './limits.ts'
import { hasBareControl, indexLines } from './line-index.ts'
import type { Answerable, KeepAlive, Malformed, Problem, Scanned } from './message.ts'
import { problemStatus } from './message.ts'
import { SP, readDecimal } from './octets.ts'
import { ScannedRequest, ScannedResponse } from './scanned.ts'
import { readStartLine } from './start-line.ts'
import type { RequestLine } from './start-line.ts'

const keepAlive: KeepAlive = { kind: 'keep-alive' }

/**
 * Reads one datagram. Octets are looked at once for lines and once more where a header routes; bodies never. Nothing
 * is changed or copied: the message keeps `bytes`.
 */
export function scan(bytes: Buffer, limits: Limits = defaultLimits): Scanned {
  if (isBlank(bytes)) return keepAlive
  const startLine = readStartLine(bytes, limits)
  const index = indexLines(bytes, startLine.end, limits)
  const facts = readFacts(bytes, index)
  const size: Problem | undefined = bytes.length > limits.datagram ? 'datagram-size' : undefined
  const problem = size ?? startLine.problem ?? index.problem ?? facts.problem
  if (startLine.kind === 'status-line') {
    if (problem !== undefined || facts.problem !== undefined) return refuseResponse(problem ?? 'header-line')
    return new ScannedResponse(facts, startLine)
  }
  return toRequest(startLine, facts, problem)
}

// Validation in the order of RFC 3261, 16.3: syntax first, then the scheme.
function toRequest(line: RequestLine, facts: Facts, earlier: Problem | undefined): Scanned {
  const uri = line.problem === undefined ? parseUri(line.requestUri) : undefined
  const maxForwards = readMaxForwards(facts)
  const before = earlier ?? requestProblem(line, facts, maxForwards)
  const routes = before === undefined && facts.lineOf(HeaderId.Route) !== undefined ? parseRoutes(facts) : noRoutes
  const problem = before ?? (routes === undefined ? 'route' : uriProblem(uri))
  if (problem !== undefined || uri === undefined || routes === undefined || facts.problem !== undefined) {
    return refuseRequest(line, facts, problem ?? 'request-uri')
  }
  return new ScannedRequest(facts, line, { uri, maxForwards, routes })
}

const noRoutes: readonly RouteValue[] = []

function requestProblem(line: RequestLine, facts: Facts, maxForwards: number | undefined): Problem | undefined {
  if (facts.cseq?.method !== line.method) return 'cseq-method' // 8.1.1.5
  return maxForwards === -1 ? 'max-forwards' : undefined
}

/** -1 when it is not a number up to 255 (20.22), undefined when it is absent. */
function readMaxForwards(facts: Facts): number | undefined {
  const line = facts.lineOf(HeaderId.MaxForwards)
  return line === undefined ? undefined : readDecimal(facts.bytes, line.valueStart, line.valueEnd, 255)
}

// Schemes that a proxy may have to carry: tel (RFC 3966), and urn for emergency services (RFC 5031).
const schemes: ReadonlySet<string> = new Set(['sip', 'sips', 'tel', 'urn'])

function uriProblem(uri: Uri | undefined): Problem | undefined {
  if (uri === undefined) return 'request-uri'
  if (!schemes.has(uri.scheme)) return 'scheme'
  // 19.1.1: headers are not allowed in a Request-URI; carried on, they could become headers of the message.
  return uri.headers === undefined ? undefined : 'request-uri'
}

function refuseResponse(problem: Problem): Malformed {
  return { kind: 'malformed', isRequest: false, problem, status: problemStatus[problem], answerable: false }
}

function refuseRequest(line: RequestLine, facts: Facts, problem: Problem): Malformed {
  const common = { kind: 'malformed', isRequest: true, problem, status: problemStatus[problem] } as const
  const message = answerable(line, facts)
  return message === undefined ? { ...common, answerable: false } : { ...common, answerable: true, message }
}

const copied = [HeaderId.From, HeaderId.To, HeaderId.CallId, HeaderId.CSeq] as const

function answerable(line: RequestLine, facts: Facts): Answerable | undefined {
  const { bytes, lines, topVia, to } = facts
  if (topVia === undefined || line.method === '' || line.method === 'ACK') return undefined
  for (const id of copied) {
    const found = facts.lineOf(id)
    if (found === undefined || found.valueStart === found.valueEnd || hasBareControl(bytes, found)) return undefined
  }
  if (lines.some((one) => one.id === HeaderId.Via && hasBareControl(bytes, one))) return undefined
  return { bytes, lines, method: line.method, topVia, to }
}

function isBlank(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] ?? 0) > SP) return false
  return true
}
