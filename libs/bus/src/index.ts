export type {
  Bus,
  BusObserver,
  DataWriter,
  EventBatch,
  Handler,
  Past,
  Received,
  Span,
  StreamSpec,
  Subscription,
} from './bus.ts'
export { BusError, type BusErrorCode, Refusal } from './errors.ts'
export { createNatsBus, type NatsBusOptions } from './nats-bus.ts'
export type { Entry, Table } from './table.ts'
export { weightTables, withChanges } from './weight-tables.ts'
