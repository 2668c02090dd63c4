import { pino, type Logger } from 'pino'

export type { Logger }

/** JSON lines on standard output. The text is constant, facts are fields: `log.warn({ proxyId }, 'proxy down')`. */
export function createLogger(service: string, instance: string, settings: { readonly level: string }): Logger {
  return pino({ level: settings.level, base: { service, instance }, timestamp: pino.stdTimeFunctions.isoTime })
}
