/** Headers that somebody in this product asks for; all others are `Other` and pass untouched. */
export const HeaderId = {
  Other: 0,
  Via: 1,
  Route: 2,
  RecordRoute: 3,
  From: 4,
  To: 5,
  CallId: 6,
  CSeq: 7,
  MaxForwards: 8,
  Contact: 9,
  ContentLength: 10,
  ContentType: 11,
  ProxyRequire: 12,
  Require: 13,
  Supported: 14,
  Path: 15,
  RetryAfter: 16,
  Expires: 17,
  SessionExpires: 18,
  Timestamp: 19,
  UserAgent: 20,
  Reason: 21,
  Authorization: 22,
  ProxyAuthorization: 23,
  WwwAuthenticate: 24,
  ProxyAuthenticate: 25,
  Event: 26,
  ReferTo: 27,
  ResourcePriority: 28,
  MaxBreadth: 29,
} as const

export type HeaderId = (typeof HeaderId)[keyof typeof HeaderId]

/** Written name and compact form of each (RFC 3261, 20; RFC 4028 for `x`; RFC 6665 for `o`; RFC 3515 for `r`). */
const names: readonly (readonly [HeaderId, string, string?])[] = [
  [HeaderId.Via, 'Via', 'v'],
  [HeaderId.Route, 'Route'],
  [HeaderId.RecordRoute, 'Record-Route'],
  [HeaderId.From, 'From', 'f'],
  [HeaderId.To, 'To', 't'],
  [HeaderId.CallId, 'Call-ID', 'i'],
  [HeaderId.CSeq, 'CSeq'],
  [HeaderId.MaxForwards, 'Max-Forwards'],
  [HeaderId.Contact, 'Contact', 'm'],
  [HeaderId.ContentLength, 'Content-Length', 'l'],
  [HeaderId.ContentType, 'Content-Type', 'c'],
  [HeaderId.ProxyRequire, 'Proxy-Require'],
  [HeaderId.Require, 'Require'],
  [HeaderId.Supported, 'Supported', 'k'],
  [HeaderId.Path, 'Path'],
  [HeaderId.RetryAfter, 'Retry-After'],
  [HeaderId.Expires, 'Expires'],
  [HeaderId.SessionExpires, 'Session-Expires', 'x'],
  [HeaderId.Timestamp, 'Timestamp'],
  [HeaderId.UserAgent, 'User-Agent'],
  [HeaderId.Reason, 'Reason'],
  [HeaderId.Authorization, 'Authorization'],
  [HeaderId.ProxyAuthorization, 'Proxy-Authorization'],
  [HeaderId.WwwAuthenticate, 'WWW-Authenticate'],
  [HeaderId.ProxyAuthenticate, 'Proxy-Authenticate'],
  [HeaderId.Event, 'Event', 'o'],
  [HeaderId.ReferTo, 'Refer-To', 'r'],
  [HeaderId.ResourcePriority, 'Resource-Priority'],
  [HeaderId.MaxBreadth, 'Max-Breadth'],
]

const lists: ReadonlySet<HeaderId> = new Set<HeaderId>([
  HeaderId.Via,
  HeaderId.Route,
  HeaderId.RecordRoute,
  HeaderId.Contact,
  HeaderId.ProxyRequire,
  HeaderId.Require,
  HeaderId.Supported,
  HeaderId.Path,
  HeaderId.Reason,
])

/** Whether a comma in a line of this header parts two values; challenges and credentials look like lists and are none. */
export function isListHeader(id: HeaderId): boolean {
  return lists.has(id)
}

export function headerName(id: HeaderId): string {
  return names.find((row) => row[0] === id)?.[1] ?? ''
}

interface Candidate {
  readonly id: HeaderId
  readonly lower: string
}

// Length and first letter leave one or two names to compare with.
const slot = (length: number, firstOctet: number): number => length * 32 + (firstOctet & 31)
const longestName = Math.max(...names.map(([, name]) => name.length))
const candidates: Candidate[][] = Array.from({ length: (longestName + 1) * 32 }, () => [])
for (const [id, name, compact] of names) {
  for (const form of compact === undefined ? [name] : [name, compact]) {
    const lower = form.toLowerCase()
    candidates[slot(lower.length, lower.charCodeAt(0))]?.push({ id, lower })
  }
}

/** [start, end) holds token octets only. */
export function recogniseHeader(bytes: Buffer, start: number, end: number): HeaderId {
  const length = end - start
  if (length > longestName || length === 0) return HeaderId.Other
  const found = candidates[slot(length, bytes[start] ?? 0)]
  if (found === undefined) return HeaderId.Other
  for (let c = 0; c < found.length; c++) {
    const candidate = found[c]
    if (candidate !== undefined && isName(bytes, start, candidate.lower)) return candidate.id
  }
  return HeaderId.Other
}

// `| 0x20` folds the case of letters and leaves `-` alone; no other token octet turns into one of the letters used.
function isName(bytes: Buffer, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if (((bytes[start + i] ?? 0) | 0x20) !== lower.charCodeAt(i)) return false
  }
  return true
}
