import { isDeepStrictEqual } from 'node:util'

/** What a process takes at its start only: addresses, the bus, and what is built once. */
const atStart = [
  'instance',
  'stateDir',
  'log',
  'http',
  'nats',
  'ingress.listen',
  'ingress.advertise',
  'ingress.workers',
  'ingress.token',
  'ingress.routeTimeoutMs',
  'ingress.drainMs',
]

/** The settings that differ from those of the start, and wait for the next one. */
export function waitingSettings(started: unknown, loaded: unknown): string[] {
  return atStart.filter((path) => !isDeepStrictEqual(valueAt(started, path), valueAt(loaded, path)))
}

function valueAt(config: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined
  }, config)
}
