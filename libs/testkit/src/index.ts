export { startNats, type TestNats, type TestNatsOptions } from './nats.ts'
export { freezeProcess } from './process.ts'
export { waitFor } from './wait-for.ts'
