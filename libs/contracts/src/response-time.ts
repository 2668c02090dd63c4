import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { proxyId } from './ids.ts'

/** One probe's result. Any program may publish its own; only `proxy` and either `responseTimeMs` or `outcome` are needed. */
export const responseTime = z
  .object({
    proxy: proxyId,
    outcome: z
      .enum(['answered', 'lost', 'refused'])
      .default('answered')
      .describe('answered: a response came; lost: none came in time; refused: the network said that nobody listens.'),
    responseTimeMs: z.number().nonnegative().max(600_000).optional().describe('From sending to the first response.'),
    status: z.int().min(100).max(699).optional(),
    method: z.string().max(32).optional(),
    attempt: z
      .int()
      .positive()
      .default(1)
      .describe('1 for a scheduled probe, 2 and on for the quick repeats after a loss.'),
    doubtful: z.boolean().default(false).describe('Taken while the prober itself was late: not to be trusted.'),
  })
  .refine((r) => r.outcome !== 'answered' || r.responseTimeMs !== undefined, {
    path: ['responseTimeMs'],
    message: 'an answered probe has a responseTimeMs; say outcome "lost" or "refused" for one that has none',
  })

export type ResponseTime = z.infer<typeof responseTime>

export const responseTimeTaken = eventChannel({
  address: 'evt.response-time.{pool}',
  type: 'siplb.response-time.v1',
  summary: 'Response time, or loss, of a probe. From the prober or any program.',
  data: responseTime,
})
