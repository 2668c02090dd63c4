import { z } from 'zod'
import { eventChannel, requestChannel, type EventChannel } from './channel.ts'
import { instanceId, poolId, proxyId } from './ids.ts'
import { overloadAsked } from './overload.ts'

export const policies = ['least-work', 'two-choices', 'smooth-round-robin', 'weighted-random', 'rendezvous'] as const
export const policy = z.enum(policies)
export type Policy = z.infer<typeof policy>

export const proxyStates = [
  'unknown',
  'up',
  'suspect',
  'down',
  'recovering',
  'ejected',
  'draining',
  'drained',
  'disabled',
] as const
export const proxyState = z.enum(proxyStates)
export type ProxyState = z.infer<typeof proxyState>

/** The figures behind a weight; what is not known is absent. */
export const signals = z.object({
  responseTimeMs: z.number().nonnegative().optional().describe('Peak EWMA of live and probe response times.'),
  poolResponseTimeMs: z.number().nonnegative().optional().describe('The median over the pool that it is held against.'),
  load: z.number().min(0).max(1).optional(),
  faultRate: z.number().min(0).max(1).optional(),
  requestsPerSecond: z.number().nonnegative().optional(),
  inFlight: z.int().nonnegative().optional(),
  dialogs: z.int().nonnegative().optional(),
  capacity: z
    .number()
    .nonnegative()
    .optional()
    .describe(
      'Learned: what it can take, against what its base weight says of it within the pool; 1 is as configured.',
    ),
})

export type Signals = z.infer<typeof signals>

export const weightRow = z.object({
  id: proxyId,
  uri: z.string().max(256),
  tier: z.int().positive(),
  baseWeight: z.number().nonnegative().describe('As configured.'),
  weight: z.number().nonnegative().describe('Effective: what the choice goes by. 0 takes no new request.'),
  prevWeight: z.number().nonnegative(),
  state: proxyState,
  restricted: z.boolean().describe('A candidate only when drawn first: growing after coming up, or asked for less.'),
  reason: z.string().max(512).describe('Why the weight or state last changed, in words.'),
  signals,
  overload: overloadAsked.optional().describe('What the proxy asks for by overload control, while it holds.'),
  drain: z
    .object({
      dialogs: z.int().nonnegative().describe('Dialogs that are left.'),
      doneInMs: z
        .number()
        .nonnegative()
        .optional()
        .describe('When the last one is likely to have ended, from how they went so far.'),
    })
    .optional()
    .describe('While the proxy is draining.'),
})

export type WeightRow = z.infer<typeof weightRow>

/** A table of more rows is said in parts. */
export const MOST_ROWS_WHOLE = 500

/** Each part is read at one go, and calls wait for so long. */
export const ROWS_PER_PART = 100

/** How many parts a table of so many rows has in the store; 0: it is one value. */
export function partsOfRows(rows: number): number {
  return rows <= MOST_ROWS_WHOLE ? 0 : Math.ceil(rows / ROWS_PER_PART)
}

/** The whole weight table of a pool. `(epoch, seq)` rises; within an epoch `prevSeq` names the one before. */
export const weightTable = z.object({
  pool: poolId,
  epoch: z
    .int()
    .nonnegative()
    .max(1_000_000_000)
    .describe('Far beyond what a life of take-overs reaches: more is forged.'),
  seq: z.int().nonnegative(),
  prevSeq: z.int().nonnegative(),
  writer: instanceId,
  policy,
  strict: z.boolean().describe('Take the first drawn always.'),
  panic: z.boolean().describe('So few proxies are left that ejected ones are used too.'),
  costs: z
    .record(z.string().max(32), z.number().positive())
    .describe('Learned work of a request by method; INVITE is 1.'),
  parts: z
    .int()
    .positive()
    .max(10_000 / ROWS_PER_PART)
    .optional()
    .describe(
      'Of a table of more than 500 rows, which are not here: in the store they are in so many values "<pool>.<n>" under the same epoch and seq, and an event has only those that changed.',
    ),
  proxies: z.array(weightRow).max(10_000),
})

export type WeightTable = z.infer<typeof weightTable>

/** Some rows of a larger table, in their order. */
export const tablePart = z.object({
  pool: poolId,
  epoch: z.int().nonnegative(),
  seq: z.int().nonnegative(),
  part: z.int().nonnegative().describe('From 0.'),
  proxies: z.array(weightRow).max(MOST_ROWS_WHOLE),
})

export type TablePart = z.infer<typeof tablePart>

/** Negative when `a` is older than `b`. */
export function compareRevisions(
  a: { readonly epoch: number; readonly seq: number },
  b: { readonly epoch: number; readonly seq: number },
): number {
  return a.epoch === b.epoch ? a.seq - b.seq : a.epoch - b.epoch
}

export const weightsChanged = eventChannel({
  address: 'evt.weights.changed.{pool}',
  type: 'siplb.weights.changed.v1',
  summary:
    'The whole table of the pool, whenever something worth saying changed, with the reason for each proxy; of more than 500 proxies the rows that changed.',
  data: weightTable,
})

/** The same, for who reads large tables from the store: of what is said of those in parts only the head is read. */
export const wholeWeightsChanged: EventChannel<WeightTable> = {
  ...weightsChanged,
  data: z.preprocess(withoutPart, weightTable),
}

function withoutPart(table: unknown): unknown {
  return typeof table === 'object' && table !== null && 'parts' in table ? { ...table, proxies: [] } : table
}

export const tableSnapshot = eventChannel({
  address: 'evt.table.{pool}',
  type: 'siplb.table.v1',
  summary:
    'The same table at a fixed rate, not stored: who joins late need not wait for a change. Of more than 500 proxies without rows: the store has them.',
  data: weightTable,
})

export const weightsShadowed = eventChannel({
  address: 'evt.weights.shadow.{pool}',
  type: 'siplb.weights.shadow.v1',
  summary:
    'What the shadow policy or control law of the pool would do, where it has one. Nobody chooses by it; not stored.',
  data: weightTable,
})

export const weightsQuestion = requestChannel({
  address: 'req.weights.{pool}',
  queueGroup: 'weigher',
  summary: 'The table now.',
  request: z.object({}),
  reply: weightTable,
})
