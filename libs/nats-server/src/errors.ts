export type NatsServerErrorCode = 'not-found' | 'fetch-failed' | 'not-started' | 'port-taken'

/** A nats-server that could not be found, fetched or started. The message names the cure. */
export class NatsServerError extends Error {
  readonly code: NatsServerErrorCode

  constructor(code: NatsServerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'NatsServerError'
    this.code = code
  }
}
