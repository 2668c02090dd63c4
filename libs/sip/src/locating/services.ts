import type { NaptrRecord } from './records.ts'
import { nameOf } from './records.ts'
import type { PlaceTransport, Target } from './target.ts'

/** A name under which SRV records stand, and by which transport they are reached. */
export interface Service {
  readonly transport: PlaceTransport
  readonly name: string
}

/** RFC 3263, 4.1, and its table of services (9). */
const byNaptr: Readonly<Record<string, PlaceTransport>> = { 'sips+d2t': 'tls', 'sip+d2t': 'tcp', 'sip+d2u': 'udp' }
const labels: Readonly<Partial<Record<PlaceTransport, string>>> = {
  tls: '_sips._tcp',
  tcp: '_sip._tcp',
  udp: '_sip._udp',
}

/** The transports that a target allows, of those that we speak, the preferred one first. */
export function allowed({ transport, isSecure }: Target, spoken: readonly PlaceTransport[]): readonly PlaceTransport[] {
  return spoken.filter((one) => (transport === undefined ? !isSecure || one === 'tls' : one === transport))
}

/** Services as they would be called if the domain has any; WebSocket has none (RFC 7118, 5.2.4). */
export function usualServices(host: string, transports: readonly PlaceTransport[]): readonly Service[] {
  return transports.flatMap((transport) => {
    const label = labels[transport]
    const name = label === undefined ? undefined : nameOf(`${label}.${host}`)
    return name === undefined ? [] : [{ transport, name }]
  })
}

/**
 * Services in the order that the domain wants. RFC 3403, 4.1: once a record of some order fits, those of a higher order do
 * not count; of the same order the others may, by preference.
 */
export function wantedServices(
  records: readonly NaptrRecord[],
  transports: readonly PlaceTransport[],
): readonly Service[] {
  const fitting = records.flatMap((record) => {
    const service = serviceOf(record, transports)
    return service === undefined ? [] : [{ ...record, ...service }]
  })
  const first = Math.min(...fitting.map(({ order }) => order))
  return fitting
    .filter(({ order }) => order === first)
    .toSorted((a, b) => a.preference - b.preference)
    .map(({ transport, name }) => ({ transport, name }))
}

// Flag "s": the replacement names SRV records. SIP has no use for the other kinds, nor for rewriting by expression.
function serviceOf(record: NaptrRecord, transports: readonly PlaceTransport[]): Service | undefined {
  const transport = byNaptr[record.services.toLowerCase()]
  const name = nameOf(record.replacement)
  if (transport === undefined || name === undefined || !transports.includes(transport)) return undefined
  return record.flags.toLowerCase() === 's' && record.regexp === '' ? { transport, name } : undefined
}
