import { z } from 'zod'

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
  // A transaction lives 32 s: so many take less than 50 MB.
  strangers: rate(100, 1000).describe(
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
