import { z } from 'zod'

const ms = (by: number) => z.int().min(10).max(3_600_000).default(by)
const share = (by: number) => z.number().min(0).max(1).default(by)

const on = z.boolean().default(true)

export const weightsConfig = z.strictObject({
  tickMs: ms(250).describe('How often weights are worked out.'),
  snapshotMs: ms(5000).describe('How often the whole table is published though nothing changed.'),
  responseTimeDecayMs: ms(3000).describe('Peak EWMA: how slowly a response time comes down again.'),
  responseTimeToleranceMs: z.number().min(0).default(5).describe('Differences under this change no weight.'),
  loadDecayMs: ms(1000).describe('EWMA of reported load.'),
  loadTarget: share(0.7).describe('Load up to which a proxy keeps its whole weight.'),
  faultWindowMs: ms(10_000),
  faultMinRequests: z.int().min(1).default(20).describe('No fault rate is believed on fewer.'),
  slowStartMs: ms(30_000).describe('Time in which a proxy that came up grows to its full weight.'),
  ejectionBaseMs: ms(10_000).describe('First ejection; each further one doubles.'),
  ejectionMaxMs: ms(300_000),
  ejectionCap: share(0.5).describe('Part of a pool that may be ejected at once.'),
  panicThreshold: share(0.5).describe('Fewer usable proxies than this part: ejected ones are used too.'),
  maxStep: z
    .number()
    .gt(0)
    .max(1)
    .default(0.25)
    .describe('Most that a weight moves in one tick, as part of the base weight.'),
  learnCapacity: on.describe(
    'Find out how much each proxy can take, from how response times grow with the work there.',
  ),
  capacityMemoryMs: ms(600_000).describe('How long what was learnt of a capacity is kept without new evidence.'),
  learnCosts: on.describe('Find out how much work a request is, by method.'),
  deadBand: share(0.05).describe('Relative change that is worth saying.'),
  floor: share(0.02).describe(
    'Part of the base weight that a living proxy always keeps, or it could never be seen to recover.',
  ),
})

export type WeightsConfig = z.infer<typeof weightsConfig>
