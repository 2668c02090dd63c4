/**
 * Work of a request by method, INVITE being 1: what a proxy does for one until its first answer. An INVITE costs a proxy
 * about 1.75 times what a BYE costs (parsing, routing, a transaction with timers, three or more messages to relay); the
 * other methods are short transactions like BYE. These hold until something better is learned (factors/learned-costs.ts).
 */
export const costs: Readonly<Record<string, number>> = {
  INVITE: 1,
  BYE: 0.6,
  CANCEL: 0.3,
  INFO: 0.6,
  MESSAGE: 0.6,
  NOTIFY: 0.6,
  OPTIONS: 0.3,
  PRACK: 0.6,
  PUBLISH: 0.6,
  REFER: 0.6,
  REGISTER: 0.6,
  SUBSCRIBE: 0.6,
  UPDATE: 0.6,
}
