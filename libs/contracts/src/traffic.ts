import { z } from 'zod'
import { eventChannel } from './channel.ts'
import { instanceId, proxyId } from './ids.ts'
import { latencySketch } from './latency-sketch.ts'

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
  responseTimes: z
    .record(z.string().max(32), latencySketch)
    .describe(
      'By method: INVITE until the first response, others until the final one; retransmitted requests left out (Karn).',
    ),
})

export type ProxyTraffic = z.infer<typeof proxyTraffic>

export const traffic = z.object({
  ingress: instanceId,
  intervalMs: z.number().positive(),
  epoch: z.int().nonnegative().describe('Epoch and seq of the table that this ingress chooses by.'),
  seq: z.int().nonnegative(),
  proxies: z.array(proxyTraffic).max(10_000),
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
