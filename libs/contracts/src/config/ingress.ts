import { z } from 'zod'
import { addressOfUri } from '../proxy-uri.ts'
import { listenUri } from './listen-uri.ts'

export const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: 'must be an address or network such as 10.0.0.0/8',
})

/** 32 random bytes in hexadecimal: `openssl rand -hex 32`. */
const secret = z
  .string()
  .min(32, 'must be at least 32 characters: openssl rand -hex 32')
  .max(256)
  .meta({ writeOnly: true })

const rate = (perSecond: number, burst: number) =>
  z
    .strictObject({
      perSecond: z.number().positive().max(1_000_000).default(perSecond),
      burst: z.int().min(1).max(1_000_000).default(burst),
    })
    .prefault({})

/** As the tools call themselves that look for numbers to call at the cost of others. */
const scannerAgents = [
  'friendly-scanner',
  'friendly-request',
  'sipvicious',
  'sundayddr',
  'sipcli',
  'sip-scan',
  'pplsip',
  'vaxsipuseragent',
  'sipptk',
  'iwar',
]

export const ingressLimits = z.strictObject({
  perAddress: rate(200, 400).describe('New requests from one address; requests of dialogs do not count.'),
  perNetwork: rate(1000, 2000).describe('From one /24, or /64 of IPv6: all its addresses that are not proven yet.'),
  strangers: rate(500, 1000).describe(
    'Over UDP from all addresses together that did not yet show, by a call or a registration, that they are real.',
  ),
  scannerAgents: z
    .array(z.string().toLowerCase().min(3).max(100))
    .default(scannerAgents)
    .describe('Parts of User-Agent: such requests are dropped without an answer.'),
  datagram: z.int().min(1500).max(65_507).default(16_384).describe('The longest message over UDP, in octets.'),
  connections: z.int().min(1).max(1_000_000).default(2048).describe('Connections of callers at one time.'),
  connectionsPerAddress: z.int().min(1).max(1_000_000).default(64),
  headerDeadlineMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(5000)
    .describe('How long a message on a connection may take from its first octet to the end of its headers.'),
})

export type IngressLimits = z.infer<typeof ingressLimits>

export const ingressConfig = z.strictObject({
  listen: z.array(listenUri).min(1).default(['udp://0.0.0.0:5060']),
  advertise: z
    .string()
    .refine((text) => addressOfUri(`sip:${text}`) !== undefined && !/[@;?]/.test(text), 'must be host or host:port')
    .optional()
    .describe('What goes into Via and Record-Route; default: the listening address.'),
  recordRoute: z.boolean().default(true).describe('Stay in the path of dialogs.'),
  publish: z.enum(['messages', 'requests', 'none']).default('messages').describe('What evt.sip.received holds.'),
  publishBytes: z.boolean().default(false).describe('With the messages themselves.'),
  token: z
    .strictObject({
      key: secret
        .optional()
        .describe('Signs the route token; the same for every ingress. Left out: one is kept in stateDir.'),
      previousKey: secret.optional().describe('Still verifies while dialogs under it last.'),
    })
    .prefault({}),
  trusted: z.array(cidr).default(['127.0.0.0/8', '::1/128']).describe('Sources that no limit holds for.'),
  limits: ingressLimits.prefault({}),
  routeTimeoutMs: z
    .int()
    .min(5)
    .max(1000)
    .default(30)
    .describe('How long location may take before the ingress chooses by itself.'),
  drainMs: z.int().min(0).max(3_600_000).default(5000).describe('How long calls in set-up may go on after SIGTERM.'),
})

export type IngressConfig = z.infer<typeof ingressConfig>
