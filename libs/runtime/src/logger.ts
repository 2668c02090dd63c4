import { pino, type Logger } from 'pino'

export type { Logger }

/** Never makes the process wait for who reads it. */
const output = pino.destination({ fd: 1, sync: false })
let isBroken = false
output.on('error', () => {
  isBroken = true
})

/** JSON lines on standard output. The text is constant, facts are fields: `log.warn({ proxyId }, 'proxy down')`. */
export function createLogger(service: string, instance: string, settings: { readonly level: string }): Logger {
  const options = { level: settings.level, base: { service, instance }, timestamp: pino.stdTimeFunctions.isoTime }
  return pino(options, output)
}

/**
 * Writes what is on its way, and ends the log. To be awaited before the process ends: at exit, what a thread is writing is lost, and
 * a pipe that nobody reads is tried again and again, for ever. Resolves as well when nobody reads it.
 */
export function endLog(): Promise<void> {
  if (isBroken) return Promise.resolve()
  return new Promise((resolve) => {
    output.once('finish', resolve)
    output.once('error', () => resolve())
    output.end()
  })
}
