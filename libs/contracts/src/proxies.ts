import { z } from 'zod'
import { eventChannel, requestChannel } from './channel.ts'
import { poolId, proxyId } from './ids.ts'
import { proxyUri } from './proxy-uri.ts'

export const loadSourceKinds = ['header', 'kamailio'] as const

/** How the prober asks a proxy for its load. The answer to a probe is looked at for a load header in any case. */
export const loadSource = z.strictObject({
  source: z.enum(loadSourceKinds).describe('header: in the answer to the probe; kamailio: JSON-RPC over HTTP.'),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where to ask; needed for kamailio.'),
  capacity: z
    .number()
    .positive()
    .optional()
    .describe('Active transactions that are load 1; by default twice the highest number seen.'),
  intervalMs: z.int().min(100).max(3_600_000).default(1000),
  expiryMs: z.int().min(100).max(3_600_000).default(10_000),
})

export type LoadSource = z.infer<typeof loadSource>

export const adminState = z.enum(['enabled', 'draining', 'disabled'])
export type AdminState = z.infer<typeof adminState>

/** A row of the proxy list. What the operator set by command survives a reload of the file. */
export const proxyRecord = z.object({
  pool: poolId,
  id: proxyId,
  uri: proxyUri,
  weight: z.number().nonnegative().max(1_000_000).describe('Base weight, relative within the pool.'),
  tier: z.int().min(1).max(100),
  load: loadSource.optional(),
  origin: z.enum(['config', 'command', 'announced']),
  adminState,
  operatorWeight: z.number().nonnegative().max(1_000_000).optional().describe('Set by command; wins over weight.'),
  actor: z.string().max(128).describe('Who last changed it.'),
})

export type ProxyRecord = z.infer<typeof proxyRecord>

const target = { pool: poolId, proxy: proxyId, actor: z.string().max(128).default('unknown') }
const reply = z.object({ proxy: proxyRecord })
const queueGroup = 'weigher'

export const addProxy = requestChannel({
  address: 'cmd.proxies.add',
  queueGroup,
  summary: 'Adds a proxy to a pool.',
  request: z.object({
    ...target,
    uri: proxyUri,
    weight: z.number().nonnegative().max(1_000_000).default(100),
    tier: z.int().min(1).max(100).default(1),
    load: loadSource.optional(),
  }),
  reply,
})

export const removeProxy = requestChannel({
  address: 'cmd.proxies.remove',
  queueGroup,
  summary:
    'Removes a proxy that a command added or that announced itself; one declared in the file can only be disabled.',
  request: z.object(target),
  reply,
})

export const drainProxy = requestChannel({
  address: 'cmd.proxies.drain',
  queueGroup,
  summary: 'No new requests; dialogs go on until they end.',
  request: z.object(target),
  reply,
})

export const enableProxy = requestChannel({
  address: 'cmd.proxies.enable',
  queueGroup,
  summary: 'Takes part again, by slow start.',
  request: z.object(target),
  reply,
})

export const disableProxy = requestChannel({
  address: 'cmd.proxies.disable',
  queueGroup,
  summary: 'Takes no part: no new requests, no probes.',
  request: z.object(target),
  reply,
})

export const setProxy = requestChannel({
  address: 'cmd.proxies.set',
  queueGroup,
  summary: 'Sets the base weight of a proxy; null returns to the declared one.',
  request: z.object({ ...target, weight: z.number().nonnegative().max(1_000_000).nullable() }),
  reply,
})

export const proxyAnnounced = eventChannel({
  address: 'evt.proxy.announce.{pool}',
  type: 'siplb.proxy.announce.v1',
  summary: 'A proxy, or who starts it, asks to be part of the pool.',
  data: z.object({ proxy: proxyId, uri: proxyUri, weight: z.number().nonnegative().max(1_000_000).default(100) }),
})
