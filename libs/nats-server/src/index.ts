export { NatsServerError, type NatsServerErrorCode } from './errors.ts'
export { fetchNatsServer, type FetchOptions } from './fetch.ts'
export { cachedNatsServer, findNatsServer, type FindOptions, type FoundNatsServer } from './find.ts'
export { startNatsServer, type NatsServer, type NatsServerOptions } from './server.ts'
