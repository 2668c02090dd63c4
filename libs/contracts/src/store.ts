import { z } from 'zod'
import { lease } from './leases.ts'
import { proxyRecord } from './proxies.ts'
import { tablePart, weightTable, type TablePart, type WeightTable } from './weights.ts'

/** A key-value bucket of the installation. */
export interface TableSpec<T> {
  readonly name: string
  readonly summary: string
  readonly value: z.ZodType<T>
  /** Of one key, where keys tell which kind of value they have. */
  readonly valueAt?: (key: string) => z.ZodType<T>
}

function table<T>(name: string, summary: string, value: z.ZodType<T>): TableSpec<T> {
  return { name, summary, value }
}

/** `@siplb/bus` has a view of it in which every table is whole. */
export const weightsTable: TableSpec<WeightTable | TablePart> = {
  ...table(
    'weights',
    '<pool> → the whole weight table; one write is one consistent table. Of more than 500 rows it is written last, behind <pool>.<n> → its parts',
    z.union([tablePart, weightTable]),
  ),
  valueAt: (key) => (key.includes('.') ? tablePart : weightTable),
}
export const proxiesTable = table('proxies', '<pool>.<proxy> → a row of the proxy list', proxyRecord)
export const leasesTable = table(
  'leases',
  'weigher.<pool> → who writes it; replica.<instance> → which weighers live; prober.<instance> → which probers live',
  lease,
)

const day = 24 * 3600 * 1000

/** The streams; addresses are relative to the prefix. Discard old. */
export const streams = {
  events: {
    name: 'EVENTS',
    addresses: ['evt.weights.changed.>', 'evt.proxy.state.>'],
    maxAgeMs: 7 * day,
    maxBytes: 2 ** 30,
  },
  signals: {
    name: 'SIGNALS',
    addresses: ['evt.response-time.>', 'evt.load.>', 'evt.traffic.>'],
    maxAgeMs: 2 * 3600 * 1000,
    maxBytes: 512 * 2 ** 20,
  },
} as const

/** Store names derive from the prefix, so two installations can share a bus: `siplb.v1` → `siplb_weights`, `SIPLB_EVENTS`. */
function baseOf(prefix: string): string {
  return prefix.replace(/\.v\d+$/, '').replaceAll('.', '-')
}

export function bucketName(prefix: string, spec: { readonly name: string }): string {
  return `${baseOf(prefix)}_${spec.name}`
}

export function streamName(prefix: string, spec: { readonly name: string }): string {
  return `${baseOf(prefix).toUpperCase()}_${spec.name}`
}
