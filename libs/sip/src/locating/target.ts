import { defaultPort, type Uri } from '../header/uri.ts'
import { nameOf } from './records.ts'

const transports = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const
export type PlaceTransport = (typeof transports)[number]

/** Where a message can be sent. */
export interface Place {
  readonly transport: PlaceTransport
  /** Numeric; IPv6 without brackets. */
  readonly address: string
  readonly port: number
}

/** TARGET of RFC 3263, 4, with what is already said of the way there. */
export interface Target {
  /** A name in lower case, or a numeric address without brackets. */
  readonly host: string
  readonly isNumeric: boolean
  readonly port: number | undefined
  readonly transport: PlaceTransport | undefined
  /** Of a sips: URI: by TLS all the way. */
  readonly isSecure: boolean
}

export type Aim =
  { readonly kind: 'target'; readonly target: Target } | { readonly kind: 'unusable'; readonly code: string }

/** `familyOf` tells 4, 6, or 0 for a text that is no numeric address, as `isIP` of node:net does. */
export type FamilyOf = (text: string) => number

/** RFC 3263, 4: the maddr parameter, where there is one, stands for the host. */
export function targetOfUri(uri: Uri, familyOf: FamilyOf): Aim {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return unusable('EPROTONOSUPPORT')
  const isSecure = uri.scheme === 'sips'
  const transport = transportOf(uri.params.get('transport'), isSecure)
  if (transport === 'unknown') return unusable('EPROTONOSUPPORT')
  return aimAt(uri.params.get('maddr') ?? uri.host, { port: uri.port, transport, isSecure }, familyOf)
}

/** RFC 3263, 5: where a response goes when the way that its request came is gone. `transport` is that of the Via. */
export function targetOfSentBy(
  sentBy: { readonly transport: string; readonly host: string; readonly port: number | undefined },
  familyOf: FamilyOf,
): Aim {
  const transport = transportOf(sentBy.transport, false)
  if (transport === 'unknown') return unusable('EPROTONOSUPPORT')
  return aimAt(sentBy.host, { port: sentBy.port, transport, isSecure: transport === 'tls' }, familyOf)
}

export const defaultTransport = ({ transport, isSecure }: Target): PlaceTransport =>
  transport ?? (isSecure ? 'tls' : 'udp')

export function portOf(target: Target): number {
  return target.port ?? defaultPort(defaultTransport(target))
}

// RFC 3261, 26.2.2: sips with transport=tcp is TLS over TCP, with ws it is wss (RFC 7118, 5.3); by UDP there is no TLS.
function transportOf(text: string | undefined, isSecure: boolean): PlaceTransport | undefined | 'unknown' {
  if (text === undefined || text === '') return undefined
  const transport = transports.find((known) => known === text.toLowerCase())
  if (!isSecure || transport === undefined) return transport ?? 'unknown'
  if (transport === 'udp') return 'unknown'
  return transport === 'ws' || transport === 'wss' ? 'wss' : 'tls'
}

function aimAt(text: string, rest: Omit<Target, 'host' | 'isNumeric'>, familyOf: FamilyOf): Aim {
  const isBracketed = text.startsWith('[') && text.endsWith(']')
  const bare = isBracketed ? text.slice(1, -1) : text
  const isNumeric = familyOf(bare) !== 0
  const host = isNumeric ? bare : isBracketed ? undefined : nameOf(bare)
  // RFC 3696, 2: no top level domain is all digits, so this is a mistyped address; the system's lookup would guess (127.1).
  if (host === undefined || (!isNumeric && endsInDigits(host))) return unusable('EBADNAME')
  return { kind: 'target', target: { ...rest, host, isNumeric } }
}

function endsInDigits(name: string): boolean {
  return /^\d+$/.test(name.slice(name.lastIndexOf('.') + 1))
}

const unusable = (code: string): Aim => ({ kind: 'unusable', code })
