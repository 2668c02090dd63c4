import { z } from 'zod'
import { sipUri } from '../proxy-uri.ts'

export const probeConfig = z.strictObject({
  method: z.literal('OPTIONS', { error: 'this version probes with OPTIONS only' }).default('OPTIONS'),
  intervalMs: z.int().min(50).max(3_600_000).default(1000),
  timeoutMs: z.int().min(20).max(32_000).default(500),
  from: sipUri.default('sip:siplb@localhost').describe('The From URI of a probe.'),
  loadHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'must be a header name')
    .default('SIP-Load')
    .describe('Read in the answer: 0…1, a percentage, or active=N.'),
})

export type ProbeConfig = z.infer<typeof probeConfig>
