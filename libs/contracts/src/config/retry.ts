import { z } from 'zod'

/** The retry budget: a token bucket that bounds how much traffic failover may add. */
export const retryConfig = z.strictObject({
  perRequest: z.number().min(0).max(10).default(0.1).describe('Retries that each new request earns.'),
  perSecond: z.number().min(0).max(100_000).default(10).describe('Retries earned each second in any case.'),
  savedSeconds: z.number().min(1).max(3600).default(60).describe('Seconds of traffic that may be saved up.'),
  leastCapacity: z.number().min(0).max(1_000_000).default(100).describe('The least that the bucket holds.'),
})

export type RetryConfig = z.infer<typeof retryConfig>
