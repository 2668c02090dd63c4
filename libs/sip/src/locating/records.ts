/** What a name server can be asked here. */
export interface Question {
  /** In lower case, without a dot at its end. */
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'SRV' | 'NAPTR'
}

/** A or AAAA. */
interface AddressRecord {
  readonly type: 'address'
  readonly address: string
}

/** RFC 2782. A target of `''`, written as a dot, says that the service is decidedly not there. */
export interface SrvRecord {
  readonly type: 'service'
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** RFC 3403, 4.1. */
export interface NaptrRecord {
  readonly type: 'pointer'
  readonly order: number
  readonly preference: number
  readonly flags: string
  readonly services: string
  readonly regexp: string
  readonly replacement: string
}

export type DnsRecord = AddressRecord | SrvRecord | NaptrRecord

/** What came of asking. Codes are those of node:dns: `ENOTFOUND`, `ENODATA`, `ESERVFAIL`, `ETIMEOUT`, … */
export type Outcome =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly ttlMs: number }
  /** The name server says that there is nothing of the kind; `ttlMs` where it says for how long (RFC 2308). */
  | { readonly kind: 'nothing'; readonly code: string; readonly ttlMs?: number }
  | { readonly kind: 'failed'; readonly code: string }

/** What is taken for true of a question. */
export type Answer =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly isStale: boolean }
  | { readonly kind: 'nothing'; readonly code: string }

export function keyOf({ name, type }: Question): string {
  return `${type} ${name}`
}

const NAME_LIMIT = 253
const LABEL_LIMIT = 63

const isLabel = (label: string): boolean => label.length <= LABEL_LIMIT && /^[a-z0-9_-]+$/.test(label)

/** A name as DNS has it, without the dot at its end; undefined for what cannot be asked for (RFC 1035, 2.3.1 and 2.3.4). */
export function nameOf(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  if (name === '' || name.length > NAME_LIMIT) return undefined
  return name.split('.').every(isLabel) ? name : undefined
}
