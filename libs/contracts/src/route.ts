import { z } from 'zod'
import {
  areChoices,
  areCompactChoices,
  candidate,
  candidates,
  choices,
  compactChoices,
  MOST_CHOICES,
  type Candidate,
  type CompactChoices,
} from './candidate.ts'
import { eventChannel, requestChannel } from './channel.ts'
import { instanceId, poolId, proxyId } from './ids.ts'
import { policy } from './weights.ts'

const text = z.string().max(4096)

/** What a choice may depend on: the routing facts of one request. */
export const routeFacts = z.object({
  id: z.string().max(64).describe('The asker’s own number for it.'),
  method: z.string().max(64),
  requestUri: text,
  callId: text,
  from: text.describe('URI of the From header.'),
  to: text.describe('URI of the To header.'),
  source: z.string().max(64).describe('IP address that it came from.'),
})

export type RouteFacts = z.infer<typeof routeFacts>

const revision = { epoch: z.int().nonnegative(), seq: z.int().nonnegative() }

export const routed = z.object({
  outcome: z.literal('routed'),
  id: z.string().max(64).describe('Of the question; empty in evt.route.answered for a choice ahead.'),
  pool: poolId,
  ...revision,
  policy,
  pick: z.enum(['first', 'least-work']).describe('Who decides: the order, or the asker by the least of its own work.'),
  candidates: candidates.describe('As drawn, repeats removed; what is not picked serves should it fail.'),
})

export const unrouted = z.object({
  outcome: z
    .enum(['no-pool', 'no-proxy'])
    .describe('no-pool: nothing matches (404); no-proxy: nobody can take it (503).'),
  id: z.string().max(64),
  pool: poolId.optional(),
})

export const routeAnswer = z.discriminatedUnion('outcome', [routed, unrouted])
export type Routed = z.infer<typeof routed>
export type Unrouted = z.infer<typeof unrouted>
export type RouteAnswer = z.infer<typeof routeAnswer>

/** Choices for requests that have not come yet. */
export const choicesAhead = z.object({
  pool: poolId,
  ...revision,
  policy,
  pick: z.enum(['first', 'least-work']),
  ttlMs: z.number().positive(),
  choices,
  compact: compactChoices.optional().describe('In place of `choices`, which are none then; for who asked for it.'),
})

export type ChoicesAhead = z.infer<typeof choicesAhead>

export const routeRequest = z.object({
  ingress: instanceId,
  requests: z.array(routeFacts).max(500),
  ahead: z
    .object({
      pool: poolId,
      count: z.int().min(1).max(MOST_CHOICES),
      compact: z.boolean().optional().describe('Whether the asker understands compact choices.'),
    })
    .optional(),
})

export const routeReply = z.object({
  location: instanceId,
  answers: z.array(routeAnswer).max(500),
  ahead: choicesAhead.optional(),
})

export type RouteRequest = z.infer<typeof routeRequest>
export type RouteReply = z.infer<typeof routeReply>

/** Its choices ahead are looked at by hand. */
const quickRouteReply = routeReply.extend({
  ahead: choicesAhead
    .extend({
      choices: z.custom<Candidate[][]>(areChoices),
      compact: z.custom<CompactChoices>(areCompactChoices).optional(),
    })
    .optional(),
})

const summary = 'Where to send these requests: for each the candidates drawn by weight. Answered by location.'

export const routeQuestion = requestChannel({
  address: 'req.route',
  queueGroup: 'location',
  summary,
  request: routeRequest,
  reply: routeReply,
  quickReply: quickRouteReply,
})

export const routeQuestionTo = requestChannel({
  address: 'req.route.{instance}',
  summary: `${summary} To one instance, when the queue group did not answer.`,
  request: routeRequest,
  reply: routeReply,
  quickReply: quickRouteReply,
})

export const routeAnswered = eventChannel({
  address: 'evt.route.answered',
  type: 'siplb.route.answered.v1',
  summary: 'The candidate lists that a location gave.',
  data: z.object({ ingress: instanceId, answer: routeAnswer }),
})

/** One decision, as its ingress remembers it. */
export const decision = z.object({
  callId: text,
  method: z.string().max(64),
  ingress: instanceId,
  at: z.iso.datetime(),
  source: z
    .enum(['location', 'local', 'token'])
    .describe('Who chose: location, the ingress by its own table, the token of the dialog.'),
  pool: poolId.optional(),
  epoch: z.int().nonnegative().optional(),
  seq: z.int().nonnegative().optional(),
  candidates: z.array(candidate).max(16),
  tried: z.array(z.object({ proxy: proxyId, outcome: z.string().max(64) })).max(16),
})

export type Decision = z.infer<typeof decision>

export const explainQuestion = requestChannel({
  address: 'req.explain',
  summary: 'Why did this Call-ID go there? Every ingress hears it, only the one that holds the decision answers.',
  request: z.object({ callId: text }),
  reply: z.object({ decisions: z.array(decision).max(64) }),
})
