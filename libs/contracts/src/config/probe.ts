import { z } from 'zod'
import { sipUri } from '../proxy-uri.ts'

/** `404`, or a class of codes: `4xx`. */
const error = 'must be a final status such as 404, or a class such as 4xx'
// A number or a text out of range is told by the branch that fits its type, with the words of that branch.
const statusCodes = z.union([z.int().min(200, error).max(699, error), z.string().regex(/^[2-6]xx$/, error)], { error })

export const probeConfig = z.strictObject({
  method: z
    .enum(['OPTIONS', 'INVITE'])
    .default('OPTIONS')
    .describe('INVITE: a canary call, acknowledged and hung up when it is answered, cancelled when it rings.'),
  intervalMs: z.int().min(50).max(3_600_000).default(1000),
  timeoutMs: z.int().min(20).max(32_000).default(500),
  from: sipUri.default('sip:siplb@localhost').describe('The From URI of a probe.'),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,128}$/, 'must be the user part of a SIP URI, such as echo-test')
    .default('siplb-canary')
    .describe('User part of the Request-URI of an INVITE probe.'),
  ringMs: z.int().min(0).max(32_000).default(0).describe('How long a canary call may ring before it is cancelled.'),
  aliveCodes: z
    .array(statusCodes)
    .min(1)
    .default(['2xx', '3xx', '4xx', '5xx', '6xx'])
    .describe('Final answers that show a living proxy; any other counts as a lost probe.'),
  vantagePoints: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('How many probers look at each proxy; two witnesses see more than one.'),
  loadHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'must be a header name')
    .default('SIP-Load')
    .describe('Read in the answer: 0…1, a percentage, or active=N.'),
})

export type ProbeConfig = z.infer<typeof probeConfig>
