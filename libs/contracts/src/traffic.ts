import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { instanceId, proxyId } from './ids.ts'
import { latencySketch } from './latency-sketch.ts'
import { queueing } from './queueing.ts'

const count = z.int().nonnegative()

/** Ends of forwarded transactions in the interval. Only the last four are faults of the proxy (RFC 6076 "ISA"). */
export const outcomes = z.object({
  success: count.describe('2xx'),
  redirection: count.describe('3xx'),
  refusal: count.describe('4xx, 6xx and 5xx that speak of the request, not of the proxy'),
  cancelled: count.describe('487 after a CANCEL'),
  unavailable: count.describe('503'),
  serverError: count.describe('500, 504'),
  timeout: count.describe('no response in time'),
  transportError: count.describe('refused or failed send'),
})

export type Outcomes = z.infer<typeof outcomes>
export type Outcome = keyof Outcomes

/** What one ingress saw of one proxy. */
export const proxyTraffic = z.object({
  proxy: proxyId,
  requests: count.describe('Requests outside dialogs forwarded in the interval.'),
  inFlight: count.describe('Transactions forwarded and without a final response now.'),
  work: z
    .number()
    .nonnegative()
    .describe('Requests sent and not yet answered at all now, each at the cost of its method.'),
  dialogs: count.describe('Dialogs open now, as leased.'),
  outcomes,
  fresh: z
    .object({
      accepted: count.describe('The first response was no fault of the proxy.'),
      failed: count.describe('A fault was its first word, or it never said any.'),
      failedLater: count.describe('Failed by a fault of the proxy after it had been accepted.'),
    })
    .optional()
    .describe('How new requests begin: an end comes when the callee picks up, and tells of the past.'),
  responseTimes: z
    .record(z.string().max(32), latencySketch)
    .describe(
      'By method: INVITE until the first response, others until the final one; retransmitted requests left out (Karn).',
    ),
  queueing: z
    .record(z.string().max(32), queueing)
    .optional()
    .describe('By method, of requests outside dialogs: how response times grow with the work there.'),
  retryAfterMs: z
    .number()
    .positive()
    .max(86_400_000)
    .optional()
    .describe('The longest Retry-After of a 503 in the interval: maintenance.'),
  shadow: count.optional().describe('Requests that the shadow policy of the pool would have sent here.'),
})

export type ProxyTraffic = z.infer<typeof proxyTraffic>

export const traffic = z.object({
  ingress: instanceId.describe('Who counted: an ingress, or one worker of it.'),
  instance: instanceId
    .optional()
    .describe(
      'The ingress whose worker this is, where several workers share its ports: together they are one witness.',
    ),
  intervalMs: z.number().positive(),
  epoch: z.int().nonnegative().describe('Epoch and seq of the table that this ingress chooses by.'),
  seq: z.int().nonnegative(),
  proxies: z.array(proxyTraffic).max(10_000),
  sip: z
    .string()
    .max(128)
    .optional()
    .describe(
      'host:port, perhaps with ;transport=, where other ingresses reach this one: for callers whose connection it holds.',
    ),
  shed: count.optional().describe('New requests refused at the edge, since all proxies ask for less.'),
  dialogsEnded: z
    .array(z.object({ ingress: instanceId, dialog: z.string().max(64) }))
    .max(10_000)
    .default([])
    .describe('Ends of dialogs that another ingress counts, as that one knows them.'),
})

export type Traffic = z.infer<typeof traffic>

export const trafficSeen = eventChannel({
  address: 'evt.traffic.{pool}',
  type: 'siplb.traffic.v1',
  summary:
    'Per proxy: requests, in flight, dialogs, outcomes and response times of live traffic. Every 250 ms from each ingress.',
  data: traffic,
})
