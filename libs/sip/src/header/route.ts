import { HeaderId } from '../message/header-id.ts'
import type { HeaderLine } from '../message/message.ts'
import { parseNameAddr } from './name-addr.ts'
import type { NameAddr } from './name-addr.ts'
import { parseUri } from './uri.ts'
import type { Uri } from './uri.ts'

/** One value of Route, Record-Route or Path. */
export interface RouteValue {
  readonly text: string
  readonly uri: Uri
  /** Whether it names a loose router (RFC 3261, 19.1.1); a strict one wants itself in the Request-URI. */
  readonly isLoose: boolean
}

/** A longer way than Max-Forwards can count (RFC 3261, 20.22) is none; reading it would only cost. */
const MOST = 255

/**
 * All values of one route header, in order. Undefined when one of them is none, or when there are more than any request can
 * travel: whoever routes by it must not guess.
 */
export function parseRoutes(
  message: { readonly bytes: Buffer; readonly lines: readonly HeaderLine[] },
  id: HeaderId = HeaderId.Route,
): RouteValue[] | undefined {
  const routes: RouteValue[] = []
  for (const line of message.lines) {
    if (line.id === id && !takeLine(message.bytes, line, routes)) return undefined
  }
  return routes
}

function takeLine(bytes: Buffer, line: HeaderLine, routes: RouteValue[]): boolean {
  let at = line.valueStart
  while (at >= 0) {
    const value = parseNameAddr(bytes, at, line.valueEnd)
    const route = value === undefined ? undefined : toRoute(value)
    if (value === undefined || route === undefined || routes.length === MOST) return false
    routes.push(route)
    at = value.nextStart
  }
  return true
}

function toRoute(value: NameAddr): RouteValue | undefined {
  if (!value.isBracketed) return undefined // 20.34: a route value is a name-addr
  const text = value.uri
  const uri = parseUri(text)
  // 19.1.1, table 1: no headers; a strict router would make them part of a Request-URI.
  if (uri === undefined || uri.host === '' || uri.headers !== undefined) return undefined
  return { text, uri, isLoose: uri.params.has('lr') }
}
