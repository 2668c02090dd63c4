import { ErrorCode, NatsError } from 'nats'

export type BusErrorCode = 'disconnected' | 'no-responders' | 'timeout' | 'refused' | 'malformed' | 'no-stream'

/** A request, or a look into the past, that got no usable answer. */
export class BusError extends Error {
  readonly code: BusErrorCode
  /** Of a refusal: the `Nats-Service-Error-Code`. */
  readonly status: number | undefined

  constructor(code: BusErrorCode, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, { cause: options.cause })
    this.name = 'BusError'
    this.code = code
    this.status = options.status
  }
}

/** Thrown by a handler of `serve`: the asker gets `Nats-Service-Error` and its code (as HTTP has them: 400, 404, 409, …). */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'Refusal'
    this.status = status
  }
}

/** What the client's failure of a request means. */
export function requestError(error: unknown, subject: string, timeoutMs: number): BusError {
  const code = error instanceof NatsError ? error.code : ''
  if (code === (ErrorCode.NoResponders as string)) {
    return new BusError('no-responders', `nobody answers on ${subject}`, { cause: error })
  }
  if (code === (ErrorCode.Timeout as string)) {
    return new BusError('timeout', `no answer on ${subject} within ${timeoutMs} ms`, { cause: error })
  }
  return new BusError('disconnected', `the bus failed a request on ${subject}`, { cause: error })
}
