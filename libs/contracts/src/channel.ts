import type { z } from 'zod'

/**
 * A subject on the bus and what is said on it. Addresses are relative to the installation's prefix and may hold
 * parameters: `evt.weights.changed.{pool}`. Bus, documentation and schemas are all driven by these values.
 */
export interface EventChannel<T> {
  readonly kind: 'event'
  readonly address: string
  /** CloudEvents `type`. */
  readonly type: string
  readonly summary: string
  readonly data: z.ZodType<T>
}

export interface RequestChannel<Q, A> {
  readonly kind: 'request'
  readonly address: string
  /** Responders share requests in this NATS queue group; without one, each of them hears every request. */
  readonly queueGroup?: string
  readonly summary: string
  readonly request: z.ZodType<Q>
  readonly reply: z.ZodType<A>
  /** What the bus holds a reply against, where there is something faster that takes the same. */
  readonly quickReply?: z.ZodType<A>
}

export type Params = Readonly<Record<string, string>>

export function eventChannel<T>(spec: Omit<EventChannel<T>, 'kind'>): EventChannel<T> {
  return { kind: 'event', ...spec }
}

export function requestChannel<Q, A>(spec: Omit<RequestChannel<Q, A>, 'kind'>): RequestChannel<Q, A> {
  return { kind: 'request', ...spec }
}

/** The subject of a channel: `{pool}` replaced by its parameter, which may be `*` for subscribers. */
export function subjectOf(prefix: string, address: string, params: Params = {}): string {
  const tokens = address.split('.').map((token) => {
    if (!token.startsWith('{')) return token
    const value = params[token.slice(1, -1)]
    if (value === undefined) throw new TypeError(`parameter ${token} of "${address}" is missing`)
    return value
  })
  return `${prefix}.${tokens.join('.')}`
}

/** The parameters in a subject that was received on a channel. */
export function paramsOf(prefix: string, address: string, subject: string): Params {
  const tokens = subject.slice(prefix.length + 1).split('.')
  const params: Record<string, string> = {}
  address.split('.').forEach((token, i) => {
    if (token.startsWith('{')) params[token.slice(1, -1)] = tokens[i] ?? ''
  })
  return params
}
