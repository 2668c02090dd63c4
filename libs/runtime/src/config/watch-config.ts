import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Component } from '../component.ts'
import { createTicker } from '../ticker.ts'
import { waitingSettings } from './at-start.ts'
import { loadConfig, type ConfigSource } from './load-config.ts'
import { formatProblem, type ConfigProblem } from './problem.ts'

/** What is logged of a reload. */
export const reloadMessages = {
  reloaded: 'configuration reloaded',
  refused: 'configuration not reloaded; the previous one stays',
  waiting: 'configuration changed in settings that take effect at the next start',
  gone: 'configuration file is gone; the configuration stays as it is',
} as const

type Say = (facts: object, text: string) => void

export interface WatchConfigOptions<T> {
  readonly schema: z.ZodType<T>
  /** As `configOrExit` returned it: flags and environment win on a reload too. */
  readonly source: ConfigSource
  readonly onLoaded: (config: T) => void
  /** The problems are logged in any case. */
  readonly onInvalid?: (problems: readonly ConfigProblem[]) => void
  readonly log: { readonly info: Say; readonly warn: Say; readonly error: Say }
  /** Milliseconds between two looks at the file. */
  readonly lookEveryMs?: number
}

const SETTLE_MS = 200

/** Loads the configuration again on SIGHUP and when its file changes: the whole of it, or, with any problem, nothing. */
export function watchConfig<T>(options: WatchConfigOptions<T>): Component {
  const { schema, source, onLoaded, onInvalid, log, lookEveryMs = 1000 } = options
  const started = loadConfig(schema, source)
  const takeOver = (config: T) => {
    try {
      onLoaded(config)
    } catch (error) {
      log.error({ err: error, file: source.file }, 'configuration loaded but not taken over')
      return
    }
    log.info({ file: source.file }, reloadMessages.reloaded)
    const settings = started.kind === 'loaded' ? waitingSettings(started.config, config) : []
    if (settings.length > 0) log.warn({ settings }, reloadMessages.waiting)
  }
  let known = stampOf(source.file)
  const reload = () => {
    // So that a change and the SIGHUP for it are one reload.
    known = stampOf(source.file)
    const loaded = loadConfig(schema, source)
    if (loaded.kind === 'loaded') {
      takeOver(loaded.config)
      return
    }
    log.warn({ problems: loaded.problems.map(formatProblem) }, reloadMessages.refused)
    onInvalid?.(loaded.problems)
  }
  let isGone = false
  let isStopped = false
  const look = async () => {
    if (stampOf(source.file) === known) {
      isGone = false
      return
    }
    // Who writes in place, or puts another file there, is given time to finish.
    await sleep(SETTLE_MS)
    if (isStopped) return
    const stamp = stampOf(source.file)
    if (stamp === undefined && !isGone) log.warn({ file: source.file }, reloadMessages.gone)
    isGone = stamp === undefined
    // A SIGHUP may have come meanwhile.
    if (!isGone && stamp !== known) reload()
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
      isStopped = true
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
