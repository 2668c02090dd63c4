import { Inquiry, type Known } from './inquiry.ts'
import type { Question, SrvRecord } from './records.ts'
import { nameOf } from './records.ts'
import { allowed, usualServices, wantedServices, type Service } from './services.ts'
import { inSrvOrder } from './srv-order.ts'
import { defaultTransport, portOf, type Place, type PlaceTransport, type Target } from './target.ts'

export interface LocateOptions {
  /** Transports that we speak, the preferred one first: it counts where the domain has no preference. */
  readonly transports: readonly PlaceTransport[]
  readonly random: () => number
}

export type Step =
  /** To be called again when these are known. */
  | { readonly kind: 'ask'; readonly questions: readonly Question[] }
  | {
      readonly kind: 'located'
      readonly places: readonly Place[]
      readonly isStale: boolean
      readonly used: readonly Question[]
    }
  | { readonly kind: 'unlocated'; readonly code: string }

/** The domain says by an SRV record that it has no such service. */
export const NO_SERVICE = 'ENOSERVICE'

/**
 * Locating SIP servers (RFC 3263, 4), by what is known: gives the places in the order to be tried, or what has to be asked
 * next. Called again with the answers, it comes further each time.
 */
export function locate(target: Target, known: Known, options: LocateOptions): Step {
  const transports = allowed(target, options.transports)
  if (transports.length === 0) return { kind: 'unlocated', code: 'EPROTONOSUPPORT' }
  const inquiry = new Inquiry(known)
  const places = placesOf(target, transports, inquiry, options.random)
  const { missing, used, isStale, code } = inquiry
  if (missing.length > 0) return { kind: 'ask', questions: missing }
  return places.length > 0 ? { kind: 'located', places, isStale, used } : { kind: 'unlocated', code }
}

type Random = LocateOptions['random']

// 4.1 and 4.2: for an address, and for a port that is given, neither NAPTR nor SRV is asked.
function placesOf(target: Target, transports: readonly PlaceTransport[], inquiry: Inquiry, random: Random): Place[] {
  const usual = { transport: defaultTransport(target), port: portOf(target) }
  if (target.isNumeric) return [{ ...usual, address: target.host }]
  if (target.port !== undefined) return addressesOf(target.host, usual, inquiry)
  const services = servicesOf(target, transports, inquiry)
  const found = services.map(({ transport, name }) => ({
    transport,
    records: inquiry.records({ name, type: 'SRV' }, 'service'),
  }))
  const hasService = found.some(({ records }) => records.length > 0)
  // An address is no answer while it is not known whether there are services.
  if (!hasService) return inquiry.missing.length > 0 ? [] : addressesOf(target.host, usual, inquiry)
  const places = found.flatMap(({ transport, records }) =>
    inSrvOrder(records, random).flatMap((record) => placesOfService(transport, record, inquiry)),
  )
  if (found.every(({ records }) => records.every(isAbsent))) inquiry.code = NO_SERVICE
  return places
}

// 4.1: NAPTR where the transport is not given. Without a record that fits, SRV is asked for every transport that we speak.
function servicesOf(target: Target, transports: readonly PlaceTransport[], inquiry: Inquiry): readonly Service[] {
  const usual = usualServices(target.host, transports)
  if (target.transport !== undefined) return usual
  const wanted = wantedServices(inquiry.records({ name: target.host, type: 'NAPTR' }, 'pointer'), transports)
  if (inquiry.missing.length > 0) return []
  return wanted.length > 0 ? wanted : usual
}

const isAbsent = ({ target }: SrvRecord): boolean => target === ''

function placesOfService(transport: PlaceTransport, { target, port }: SrvRecord, inquiry: Inquiry): Place[] {
  const host = nameOf(target)
  return host === undefined || port === 0 ? [] : addressesOf(host, { transport, port }, inquiry)
}

function addressesOf(host: string, way: Omit<Place, 'address'>, inquiry: Inquiry): Place[] {
  const types = ['A', 'AAAA'] as const
  return types.flatMap((type) =>
    inquiry.records({ name: host, type }, 'address').map(({ address }) => ({ ...way, address })),
  )
}
