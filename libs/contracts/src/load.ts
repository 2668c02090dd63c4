import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { proxyId } from './ids.ts'
import { overloadAsked } from './overload.ts'

/** What a proxy, or somebody who watches it, says of its load. */
export const load = z.object({
  proxy: proxyId,
  load: z.number().min(0).max(1).describe('0 idle … 1 can take no more.'),
  source: z
    .string()
    .min(1)
    .max(64)
    .default('event')
    .describe('Where it comes from, such as "kamailio", "header", "oc".'),
  ageMs: z.number().nonnegative().default(0).describe('How old the figure already is.'),
  expiresInMs: z.number().positive().max(3_600_000).default(10_000).describe('How long it may be believed.'),
  overload: overloadAsked
    .optional()
    .describe(
      'What it asks for by overload control. The ingress obeys exactly that, so the load beside it moves no weight.',
    ),
  details: z.record(z.string().max(64), z.number()).optional().describe('The raw figures behind it.'),
})

export type Load = z.infer<typeof load>

export const loadReported = eventChannel({
  address: 'evt.load.{pool}',
  type: 'siplb.load.v1',
  summary: 'Load of a proxy, 0…1. From the prober, the ingress or any program.',
  data: load,
})
