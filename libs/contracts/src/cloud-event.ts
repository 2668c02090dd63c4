import { z } from 'zod'

/** CloudEvents 1.0 in structured JSON mode. A user's own event needs only what has no default. */
export const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(256).describe('Unique for its source.'),
  type: z.string().min(1).max(128),
  source: z.string().min(1).max(256).describe('Ours: /siplb/<service>/<instance>.'),
  subject: z.string().max(256).optional(),
  time: z.iso.datetime({ offset: true }).optional(),
  datacontenttype: z.string().max(64).optional(),
  data: z.unknown(),
})

export type CloudEvent = z.infer<typeof cloudEvent>

export const eventContentType = 'application/cloudevents+json'
export const batchContentType = 'application/cloudevents-batch+json'

/** A batch holds at most this many events, and at most this many bytes. */
export const batchLimits = { events: 500, bytes: 256 * 1024 } as const
