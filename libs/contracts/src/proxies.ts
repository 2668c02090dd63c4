import { z } from 'zod'
import { eventChannel, requestChannel } from './channel.ts'
import { poolId, proxyId } from './ids.ts'
import { proxyUri } from './proxy-uri.ts'

export const loadSourceKinds = ['header', 'kamailio', 'prometheus', 'freeswitch'] as const

const millis = z.int().min(100).max(3_600_000)

/** How the prober asks a proxy for its load. The answer to a probe is looked at for a load header in any case. */
export const loadSource = z
  .strictObject({
    source: z
      .enum(loadSourceKinds)
      .describe(
        'header: in the answer to the probe; kamailio: JSON-RPC over HTTP; prometheus: a metric; freeswitch: event socket.',
      ),
    url: z
      .url({ protocol: /^(https?|tcp)$/, error: 'must be a URL such as http://10.0.0.11:8080/RPC' })
      .optional()
      .describe('Where to ask: http for kamailio and prometheus, tcp://10.0.0.11:8021 for freeswitch.'),
    metric: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Of prometheus: the metric that counts what is active, with labels where it has several series.'),
    capacityMetric: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Of prometheus: the metric that tells the capacity.'),
    passwordFile: z.string().max(512).optional().describe('Of freeswitch: file with the password of the event socket.'),
    capacity: z
      .number()
      .positive()
      .optional()
      .describe(
        'What is load 1: active transactions, sessions, or the metric; by default what the proxy tells, else twice the highest number seen.',
      ),
    intervalMs: millis.default(1000),
    expiryMs: millis.default(10_000),
  })
  .superRefine(
    (value: unknown, ctx) => {
      for (const { key, message } of missingIn(value)) ctx.addIssue({ code: 'custom', path: [key], message })
    },
    // Also beside a value of the wrong type, so that all problems come in one run.
    { when: () => true },
  )

const sampleUrls = {
  kamailio: 'http://10.0.0.11:8080/RPC',
  prometheus: 'http://10.0.0.11:9100/metrics',
  freeswitch: 'tcp://10.0.0.11:8021',
} as const

function isAsked(source: unknown): source is keyof typeof sampleUrls {
  return typeof source === 'string' && Object.hasOwn(sampleUrls, source)
}

function missingIn(value: unknown): { key: string; message: string }[] {
  const { source, url, metric }: Said = typeof value === 'object' && value !== null ? value : {}
  if (!isAsked(source)) return []
  const sample = sampleUrls[source]
  const problems: { key: string; message: string }[] = []
  if (url === undefined) {
    problems.push({ key: 'url', message: `is needed for the load source ${source}, such as ${sample}` })
  } else if (typeof url === 'string' && !url.startsWith(sample.slice(0, 3))) {
    problems.push({ key: 'url', message: `must be like ${sample} for the load source ${source}` })
  }
  if (source === 'prometheus' && metric === undefined) {
    const message = 'is needed for the load source prometheus: which metric counts what is active'
    problems.push({ key: 'metric', message })
  }
  return problems
}

interface Said {
  readonly source?: unknown
  readonly url?: unknown
  readonly metric?: unknown
}

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
