import { z } from 'zod'
import { addressOfUri } from '../proxy-uri.ts'
import { ingressLimits } from './limits.ts'
import { listenUri } from './listen-uri.ts'
import { tlsConfig } from './tls.ts'

export const cidr = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: 'must be an address or network such as 10.0.0.0/8',
})

/** 32 random bytes in hexadecimal: `openssl rand -hex 32`. */
const secret = z
  .string()
  .min(32, 'must be at least 32 characters: openssl rand -hex 32')
  .max(256)
  .meta({ writeOnly: true })

const transport = z.enum(['udp', 'tcp', 'tls', 'ws', 'wss'])

const hostPort = z
  .string()
  .refine((text) => addressOfUri(`sip:${text}`) !== undefined && !/[@;?]/.test(text), 'must be host or host:port')

export const ingressConfig = z.strictObject({
  listen: z.array(listenUri).min(1).default(['udp://0.0.0.0:5060', 'tcp://0.0.0.0:5060']),
  advertise: z
    .union([hostPort, z.partialRecord(transport, hostPort)])
    .optional()
    .describe(
      'What goes into Via and Record-Route: one host or host:port, or one for each transport; default: the listening address.',
    ),
  workers: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Processes that share the listening ports; callers are spread over them by address and port.'),
  tls: tlsConfig.prefault({}),
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
