import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Component } from '../component.ts'
import type { Logger } from '../logger.ts'
import { createTicker } from '../ticker.ts'
import { loadConfig, type ConfigSource } from './load-config.ts'
import { formatProblem, type ConfigProblem } from './problem.ts'

export interface WatchConfigOptions<T> {
  readonly schema: z.ZodType<T>
  /** As `configOrExit` returned it: flags and environment win on a reload too. */
  readonly source: ConfigSource
  readonly onLoaded: (config: T) => void
  /** The problems are logged in any case. */
  readonly onInvalid?: (problems: readonly ConfigProblem[]) => void
  readonly log: Logger
  /** Milliseconds between two looks at the file. */
  readonly lookEveryMs?: number
}

// Who writes in place is given time to finish.
const SETTLE_MS = 200

/** Loads the configuration again on SIGHUP and when its file changes: the whole of it, or, with any problem, nothing. */
export function watchConfig<T>(options: WatchConfigOptions<T>): Component {
  const { schema, source, onLoaded, onInvalid, log, lookEveryMs = 1000 } = options
  const takeOver = (config: T) => {
    try {
      onLoaded(config)
      log.info({ file: source.file }, 'configuration reloaded')
    } catch (error) {
      log.error({ err: error, file: source.file }, 'configuration loaded but not taken over')
    }
  }
  const reload = () => {
    const loaded = loadConfig(schema, source)
    if (loaded.kind === 'loaded') {
      takeOver(loaded.config)
      return
    }
    log.warn({ problems: loaded.problems.map(formatProblem) }, 'configuration not reloaded; the previous one stays')
    onInvalid?.(loaded.problems)
  }
  let known = stampOf(source.file)
  const look = async () => {
    const stamp = stampOf(source.file)
    // Gone: somebody is about to put another in its place.
    if (stamp === known || stamp === undefined) return
    await sleep(SETTLE_MS)
    known = stampOf(source.file)
    reload()
  }
  const onError = (error: unknown) => log.warn({ err: error, file: source.file }, 'configuration file not looked at')
  // Looking is better than being told: editors and orchestrators swap the file, and a watch would stay with the old one.
  const ticker = createTicker({ name: 'config', everyMs: lookEveryMs, run: look, onError })
  return {
    name: 'config',
    start() {
      process.on('SIGHUP', reload)
      if (source.file !== undefined) return ticker.start?.()
    },
    stop() {
      process.off('SIGHUP', reload)
      return ticker.stop?.()
    },
  }
}

/** Differs whenever the contents may; undefined while there is no such file. */
function stampOf(file: string | undefined): string | undefined {
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.ino} ${stat.mtimeMs} ${stat.size}`
}
