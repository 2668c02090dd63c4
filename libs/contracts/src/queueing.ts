import { z } from 'zod'

const sum = z.number().nonnegative()

/**
 * How response times went with what was outstanding at the proxy: sums over requests, for a least-squares fit. Of each
 * request, `ms` is its response time, and `invites` and `others` are the requests of these methods that this ingress had
 * sent there before it and that were not answered at all yet.
 */
export const queueing = z.object({
  samples: z.int().positive(),
  ms: sum,
  ms2: sum.describe('Σ ms²'),
  invites: sum,
  invites2: sum.describe('Σ invites²'),
  others: sum,
  others2: sum.describe('Σ others²'),
  invitesOthers: sum.describe('Σ invites · others'),
  invitesMs: sum.describe('Σ invites · ms'),
  othersMs: sum.describe('Σ others · ms'),
})

export type Queueing = z.infer<typeof queueing>
