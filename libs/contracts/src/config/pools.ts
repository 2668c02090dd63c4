import { z } from 'zod'
import { poolId, proxyId } from '../ids.ts'
import { loadSource } from '../proxies.ts'
import { proxyUri } from '../proxy-uri.ts'
import { policy } from '../weights.ts'
import { cidr } from './ingress.ts'
import { weightsConfig } from './weights.ts'

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

export const declaredProxy = z.strictObject({
  id: proxyId,
  uri: proxyUri,
  weight: z.number().nonnegative().max(1_000_000).default(100),
  tier: z.int().min(1).max(100).default(1),
  load: loadSource.optional(),
})

export type DeclaredProxy = z.infer<typeof declaredProxy>

/** A second policy or control law that runs on the same events, and only tells what it would do. */
export const shadowConfig = z
  .strictObject({
    policy: policy.optional().describe('Left out: the policy of the pool.'),
    strict: z.boolean().optional().describe('Left out: as the pool has it.'),
    weights: z
      .partialRecord(weightsConfig.keyof(), z.union([z.number(), z.boolean()]))
      .default({})
      .describe('Keys of `weights` that are to be otherwise.'),
  })
  .superRefine(({ weights }, ctx) => {
    for (const { path, message } of weightsConfig.safeParse(weights).error?.issues ?? []) {
      ctx.addIssue({ code: 'custom', path: ['weights', ...path], message })
    }
  })

export type ShadowConfig = z.infer<typeof shadowConfig>

export const overloadConfig = z.strictObject({
  control: z
    .boolean()
    .default(true)
    .describe('Tell proxies in our Via that we obey their overload control (RFC 7339, RFC 7415), and do so.'),
  shed: z
    .boolean()
    .default(true)
    .describe('When all proxies ask for less, refuse as many new requests with 503; else the proxies have to.'),
})

export type OverloadConfig = z.infer<typeof overloadConfig>

export const poolConfig = z.strictObject({
  policy: policy.default('least-work'),
  strict: z.boolean().default(false).describe('Take the first drawn always, whatever its work.'),
  rendezvousKey: z.enum(['call-id', 'from']).default('call-id').describe('What the policy rendezvous hashes.'),
  match: poolMatch.prefault({}),
  affinity: z
    .enum(['none', 'aor'])
    .default('none')
    .describe('aor: requests of and for one address-of-record go to one proxy, for registrars that do not share.'),
  path: z
    .boolean()
    .default(true)
    .describe('REGISTER gets a Path (RFC 3327), so that requests for the phone come back this way.'),
  dialogFailover: z
    .boolean()
    .default(false)
    .describe('Requests of a dialog whose proxy is gone go to another proxy of the pool; else they get 481 or 503.'),
  sources: z.array(cidr).default([]).describe('Further addresses that proxies of this pool send from.'),
  outbound: z
    .array(proxyUri)
    .default([])
    .describe('Where new requests from proxies of this pool go; without it they get 403.'),
  overload: overloadConfig.prefault({}),
  shadow: shadowConfig.optional(),
  proxies: z.array(declaredProxy).default([]),
})

export type PoolConfig = z.infer<typeof poolConfig>

export const poolsConfig = z.record(poolId, poolConfig)
export type PoolsConfig = z.infer<typeof poolsConfig>
