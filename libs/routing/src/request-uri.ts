/** What a pool may match in a Request-URI; empty where it has none. */
export interface Target {
  readonly user: string
  /** In lower case, IPv6 without brackets. */
  readonly host: string
}

const NOTHING: Target = { user: '', host: '' }

/**
 * User and host of a Request-URI, in time linear in its length and with no regular expression: this is text from the wire.
 * It judges no grammar; who forwards the request does that.
 */
export function targetOf(requestUri: string): Target {
  const colon = requestUri.indexOf(':')
  const rest = requestUri.slice(colon + 1)
  switch (requestUri.slice(0, Math.max(colon, 0)).toLowerCase()) {
    case 'sip':
    case 'sips':
      return sipTarget(rest)
    case 'tel': // RFC 3966: the number is all there is
      return { user: rest.slice(0, endOf(rest, ';', 0)), host: '' }
    default:
      return NOTHING
  }
}

// RFC 3261, 25.1: `@` cannot stand unescaped behind the userinfo, which may itself hold `;` and `?`.
function sipTarget(rest: string): Target {
  const at = rest.indexOf('@')
  const userInfo = rest.slice(0, Math.max(at, 0))
  return {
    user: unescape(userInfo.slice(0, endOf(userInfo, ':', 0))),
    host: normalHost(rest.slice(at + 1, endOfHost(rest, at + 1))),
  }
}

function endOfHost(rest: string, start: number): number {
  if (rest.charAt(start) === '[') return endOf(rest, ']', start)
  let end = start
  while (end < rest.length && !':;?'.includes(rest.charAt(end))) end++
  return end
}

function endOf(text: string, character: string, start: number): number {
  const found = text.indexOf(character, start)
  return found < 0 ? text.length : found
}

/** A host as it is compared: names and IPv6 in any case, with or without brackets (RFC 3261, 19.1.4). */
export function normalHost(host: string): string {
  const inner = host.startsWith('[') ? host.slice(1, endOf(host, ']', 1)) : host
  return inner.toLowerCase()
}

// RFC 3261, 19.1.4: a character and its escape are the same. Some phones write %2B49… for +49….
function unescape(user: string): string {
  if (!user.includes('%')) return user
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
