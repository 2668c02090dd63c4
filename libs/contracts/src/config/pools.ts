import { z } from 'zod'
import { poolId, proxyId } from '../ids.ts'
import { loadSource } from '../proxies.ts'
import { proxyUri } from '../proxy-uri.ts'
import { policy } from '../weights.ts'
import { isRecord } from './declared.ts'
import { cidr } from './ingress.ts'

const oneOrMany = <T extends z.ZodType>(schema: T) =>
  z.union([schema, z.array(schema).min(1)]).transform((v): z.output<T>[] => (Array.isArray(v) ? v : [v]))

// Methods are case-sensitive (RFC 3261, 7.1), and all that are registered are in capitals.
const method = z.string().regex(/^[^a-z\s]+$/, 'must be a method in capitals, such as INVITE')

/** Which requests a pool takes: every given key must fit, each key by any of its values. */
export const poolMatch = z.strictObject({
  domain: oneOrMany(z.string().min(1)).optional().describe('Host of the Request-URI.'),
  userPrefix: oneOrMany(z.string().min(1)).optional().describe('Start of the user part of the Request-URI.'),
  method: oneOrMany(method).optional(),
  source: oneOrMany(cidr).optional().describe('Where the request came from.'),
})

export type PoolMatch = z.infer<typeof poolMatch>

export const declaredProxy = z
  .strictObject({
    id: proxyId,
    uri: proxyUri,
    weight: z.number().nonnegative().max(1_000_000).default(100),
    tier: z.int().min(1).max(100).default(1),
    load: loadSource.optional(),
  })
  .refine((p) => p.load?.source !== 'kamailio' || p.load.url !== undefined, {
    path: ['load', 'url'],
    message: 'is needed for the load source kamailio, such as http://10.0.0.11:8080/RPC',
    // Also beside a value of the wrong type, so that all problems come in one run.
    when: ({ value }) => isRecord(value),
  })

export type DeclaredProxy = z.infer<typeof declaredProxy>

export const poolConfig = z.strictObject({
  policy: policy.default('least-work'),
  strict: z.boolean().default(false).describe('Take the first drawn always, whatever its work.'),
  rendezvousKey: z.enum(['call-id', 'from']).default('call-id').describe('What the policy rendezvous hashes.'),
  match: poolMatch.prefault({}),
  dialogFailover: z
    .boolean()
    .default(false)
    .describe('Requests of a dialog whose proxy is gone go to another proxy of the pool; else they get 481 or 503.'),
  sources: z.array(cidr).default([]).describe('Further addresses that proxies of this pool send from.'),
  outbound: z
    .array(proxyUri)
    .default([])
    .describe('Where new requests from proxies of this pool go; without it they get 403.'),
  proxies: z.array(declaredProxy).default([]),
})

export type PoolConfig = z.infer<typeof poolConfig>

export const poolsConfig = z.record(poolId, poolConfig)
export type PoolsConfig = z.infer<typeof poolsConfig>
