/** A URI in pieces. For other schemes than sip and sips, `host` is empty and `user` is all that follows the colon. */
export interface Uri {
  /** In lower case. */
  readonly scheme: string
  /** As written, escapes kept: decoding could change what it means to somebody else. */
  readonly user: string | undefined
  readonly password: string | undefined
  /** In lower case, IPv6 in brackets. */
  readonly host: string
  /** The host without brackets, as sockets want it. */
  readonly hostname: string
  readonly port: number | undefined
  /** Names in lower case; `''` for a parameter without a value. */
  readonly params: ReadonlyMap<string, string>
  /** What follows `?`. */
  readonly headers: string | undefined
}

const noParams: ReadonlyMap<string, string> = new Map()

/** Parses sip, sips and, roughly, every other URI (RFC 3261, 19.1.1). Undefined when it breaks the grammar. */
export function parseUri(text: string): Uri | undefined {
  const colon = text.indexOf(':')
  if (colon <= 0 || colon === text.length - 1 || !isClean(text)) return undefined
  const scheme = text.slice(0, colon).toLowerCase()
  if (!isScheme(scheme)) return undefined
  const rest = text.slice(colon + 1)
  return scheme === 'sip' || scheme === 'sips' ? parseSipUri(scheme, rest) : opaque(scheme, rest)
}

function opaque(scheme: string, rest: string): Uri {
  const common = { scheme, password: undefined, host: '', hostname: '', port: undefined }
  return { ...common, user: rest, params: noParams, headers: undefined }
}

// `@` cannot stand unescaped behind the userinfo, so the first one parts it from the host, and a second one is refused:
// elements that look for the last one would route elsewhere.
function parseSipUri(scheme: string, rest: string): Uri | undefined {
  const at = rest.indexOf('@')
  if (at === 0 || (at > 0 && rest.includes('@', at + 1))) return undefined
  const { user, password } = userInfo(at < 0 ? undefined : rest.slice(0, at))
  const hostEnd = endOfHost(rest, at + 1)
  const host = rest.slice(at + 1, hostEnd).toLowerCase()
  if (!isHost(host)) return undefined
  const question = rest.indexOf('?', hostEnd)
  const headers = question < 0 ? undefined : rest.slice(question + 1)
  const paramsEnd = question < 0 ? rest.length : question
  const portEnd = indexOrEnd(rest, ';', hostEnd, paramsEnd)
  const port = portEnd > hostEnd ? readPort(rest, hostEnd, portEnd) : undefined
  const params = parseParams(rest.slice(portEnd, paramsEnd))
  if (port === -1 || params === undefined) return undefined
  const hostname = host.startsWith('[') ? host.slice(1, -1) : host
  return { scheme, user, password, host, hostname, port, params, headers }
}

function userInfo(text: string | undefined): { user: string | undefined; password: string | undefined } {
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0) return { user: text, password: undefined }
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function endOfHost(rest: string, start: number): number {
  if (rest[start] === '[') return rest.indexOf(']', start) + 1
  let end = start
  while (end < rest.length && !endsHost(rest.charCodeAt(end))) end++
  return end
}

// The colon of a port, the semicolon of parameters, the question mark of headers.
const endsHost = (c: number): boolean => c === 0x3a || c === 0x3b || c === 0x3f

function indexOrEnd(text: string, character: string, from: number, end: number): number {
  const found = text.indexOf(character, from)
  return found < 0 || found > end ? end : found
}

/** -1 for anything that is not a port. */
function readPort(rest: string, colon: number, end: number): number {
  if (rest[colon] !== ':' || end === colon + 1 || end - colon > 6) return -1
  let port = 0
  for (let i = colon + 1; i < end; i++) {
    const digit = rest.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    port = port * 10 + digit
  }
  return port >= 1 && port <= 65_535 ? port : -1
}

function parseParams(text: string): ReadonlyMap<string, string> | undefined {
  if (text === '') return noParams
  const params = new Map<string, string>()
  for (let at = 1; at <= text.length;) {
    const stop = indexOrEnd(text, ';', at, text.length)
    const equals = indexOrEnd(text, '=', at, stop)
    const name = text.slice(at, equals).toLowerCase()
    if (name === '' || params.has(name)) return undefined // 19.1.1: a parameter name must not appear twice
    params.set(name, text.slice(equals + 1, Math.max(stop, equals + 1)))
    at = stop + 1
  }
  return params
}

function isScheme(lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const c = lower.charCodeAt(i)
    const isLetter = c >= 0x61 && c <= 0x7a
    const isOther = (c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x2e
    if (!isLetter && (i === 0 || !isOther)) return false
  }
  return true
}

/** A name, an IPv4 address, or an IPv6 address in brackets; liberal inside the brackets (RFC 5118, 4.10). Lower case. */
export function isHost(lower: string): boolean {
  const isIpv6 = lower.startsWith('[')
  if (lower === '' || (isIpv6 && (lower.length < 4 || !lower.endsWith(']')))) return false
  const from = isIpv6 ? 1 : 0
  for (let i = from; i < lower.length - from; i++) {
    const c = lower.charCodeAt(i)
    const isDigitOrDot = (c >= 0x30 && c <= 0x39) || c === 0x2e
    const isAllowed = isIpv6 ? (c >= 0x61 && c <= 0x66) || c === 0x3a : isNameCharacter(c)
    if (!isDigitOrDot && !isAllowed) return false
  }
  return true
}

const isNameCharacter = (c: number): boolean => (c >= 0x61 && c <= 0x7a) || c === 0x2d || c === 0x5f

// Whitespace, controls, delimiters of headers, and octets that have to be escaped.
function isClean(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c <= 0x20 || c >= 0x7f || c === 0x3c || c === 0x3e || c === 0x22) return false
  }
  return true
}

/** Port where none is written (RFC 3261, 19.1.2; RFC 7118, 5.2.4 for WebSocket). */
export function defaultPort(transport: string): number {
  switch (transport.toLowerCase()) {
    case 'tls':
      return 5061
    case 'ws':
      return 80
    case 'wss':
      return 443
    default:
      return 5060
  }
}

/** Host and port to send to, without looking at `maddr`. */
export function hostPort(uri: Uri): { host: string; port: number } {
  const transport = uri.scheme === 'sips' ? 'tls' : (uri.params.get('transport') ?? 'udp')
  return { host: uri.hostname, port: uri.port ?? defaultPort(transport) }
}
