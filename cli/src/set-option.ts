import type { Call } from './command.ts'
import { misuse } from './errors.ts'

/** What was given by `--set`, by path. */
export function overridesOf(call: Call): Record<string, string> {
  return Object.fromEntries(
    (call.given.set ?? []).map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw misuse(`--set wants path=value, such as --set probe.intervalMs=500, not "${text}"`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
