/** A set of IP networks. */
export interface Networks {
  /** False, too, for text that is no IP address. IPv4-mapped IPv6 addresses, as dual-stack sockets tell them, are IPv4. */
  has(address: string): boolean
}

/** An address in groups of 16 bits: two for IPv4, eight for IPv6. */
type Groups = readonly number[]

interface Network {
  readonly groups: Groups
  readonly prefixBits: number
}

/** The same addresses are asked for again and again, and reading one costs more than finding it. */
const MOST_KNOWN = 10_000

/** Networks from texts such as `10.0.0.0/8`, `2001:db8::/32` or a single address. Throws a RangeError for anything else. */
export function createNetworks(cidrs: readonly string[]): Networks {
  const networks = cidrs.map(parseNetwork)
  if (networks.length === 0) return { has: () => false }
  const known = new Map<string, boolean>()
  const isIn = (address: string) => {
    const groups = parseAddress(address)
    return groups !== undefined && networks.some((network) => contains(network, groups))
  }
  return {
    has(address) {
      const before = known.get(address)
      if (before !== undefined) return before
      const found = isIn(address)
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(address, found)
      return found
    },
  }
}

/** The network that one subscriber usually has: the /24 of an IPv4 address, the /64 of an IPv6 one; other text is itself. */
export function networkOf(address: string): string {
  const groups = parseAddress(address)
  if (groups === undefined) return address
  const [first = 0, second = 0] = groups
  return groups.length === 2 ? `${first}.${second >> 8}` : groups.slice(0, 4).join(':')
}

function contains({ groups, prefixBits }: Network, address: Groups): boolean {
  if (groups.length !== address.length) return false
  let bits = prefixBits
  for (let i = 0; bits > 0; i++, bits -= 16) {
    const difference = (groups[i] ?? 0) ^ (address[i] ?? 0)
    if (difference >>> Math.max(16 - bits, 0) !== 0) return false
  }
  return true
}

function parseNetwork(text: string): Network {
  const slash = text.indexOf('/')
  const written = parseGroups(slash < 0 ? text : text.slice(0, slash))
  const allBits = (written?.length ?? 0) * 16
  const prefixBits = slash < 0 ? allBits : parseDecimal(text.slice(slash + 1), allBits)
  if (written === undefined || prefixBits === undefined)
    throw new RangeError(`"${text}" is not a network such as 10.0.0.0/8`)
  const groups = unmapped(written)
  const removedBits = allBits - groups.length * 16
  // A network that is wider than all IPv4-mapped addresses stays one of IPv6.
  if (prefixBits < removedBits) return { groups: written, prefixBits }
  return { groups, prefixBits: prefixBits - removedBits }
}

function parseAddress(text: string): Groups | undefined {
  const zone = text.indexOf('%')
  const groups = parseGroups(zone < 0 ? text : text.slice(0, zone))
  return groups === undefined ? undefined : unmapped(groups)
}

// RFC 4291, 2.5.5.2: ::ffff:192.0.2.1
function unmapped(groups: Groups): Groups {
  const isMapped = groups.length === 8 && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  return isMapped ? groups.slice(6) : groups
}

// 45 characters are the longest text of an address (RFC 4291, 2.2).
function parseGroups(text: string): Groups | undefined {
  if (text.length > 45) return undefined
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): Groups | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const [a, b, c, d] = parts.map((part) => parseDecimal(part, 255))
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined
  return [a * 256 + b, c * 256 + d]
}

function parseV6(text: string): Groups | undefined {
  const gap = text.indexOf('::')
  if (gap < 0) return exactly(8, parseHextets(text))
  const before = parseHextets(text.slice(0, gap))
  const after = parseHextets(text.slice(gap + 2))
  if (before === undefined || after === undefined || before.length + after.length > 7) return undefined
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function exactly(length: number, groups: Groups | undefined): Groups | undefined {
  return groups?.length === length ? groups : undefined
}

/** `2001:db8` or, at the end, `ffff:192.0.2.1`; the empty text is no groups. */
function parseHextets(text: string): Groups | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [i, part] of parts.entries()) {
    const isV4 = i === parts.length - 1 && part.includes('.')
    const found = isV4 ? parseV4(part) : parseHextet(part)
    if (found === undefined) return undefined
    groups.push(...found)
  }
  return groups
}

function parseHextet(text: string): Groups | undefined {
  if (text.length < 1 || text.length > 4) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = '0123456789abcdef'.indexOf(text.charAt(i).toLowerCase())
    if (digit < 0) return undefined
    value = value * 16 + digit
  }
  return [value]
}

function parseDecimal(text: string, max: number): number | undefined {
  if (text.length < 1 || text.length > 3) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value <= max ? value : undefined
}
