import { z } from 'zod'

/** What a proxy asked of those who send to it (RFC 7339, 4; RFC 7415). It holds for new requests, not for dialogs. */
export const overloadAsked = z.object({
  algorithm: z.enum(['loss', 'rate']),
  value: z
    .number()
    .nonnegative()
    .max(1_000_000)
    .describe('loss: the part of requests to leave out, in percent; rate: requests per second that may be sent.'),
  seq: z.number().nonnegative().describe('oc-seq: a lower one than was heard before is old.'),
  validityMs: z.number().nonnegative().max(3_600_000).describe('oc-validity: how long it holds; 0 ends it.'),
})

export type OverloadAsked = z.infer<typeof overloadAsked>
