import { flushCompileCache } from 'node:module'
import type { Component } from './component.ts'
import { endLog, type Logger } from './logger.ts'
import { nowMs } from './monotonic.ts'

/**
 * starting → ready → draining → stopped. Components start in order, and drain and stop in reverse. SIGTERM or SIGINT drains;
 * a second one ends the process at once.
 */
export type LifecycleState = 'starting' | 'ready' | 'draining' | 'stopped'

export interface Lifecycle {
  readonly state: LifecycleState
}

export interface RunOptions {
  readonly log: Logger
  readonly components: readonly Component[]
  /** Longest time that draining may take, for all components together, in milliseconds. */
  readonly drainMs: number
  readonly lifecycle?: MutableLifecycle
  /** What is logged once all is started. Default `ready`, which others wait for; a part of a service says something else. */
  readonly readyText?: string
}

export class MutableLifecycle implements Lifecycle {
  state: LifecycleState = 'starting'
}

const STOP_MS = 3000

export async function run({
  log,
  components,
  drainMs,
  lifecycle = new MutableLifecycle(),
  readyText = 'ready',
}: RunOptions): Promise<void> {
  const isAsked = untilSignal(log)
  // Where one is kept. By itself it is written at the end, which may be a violent one.
  flushCompileCache()
  const begun: Component[] = []
  try {
    for (const component of components) {
      begun.push(component)
      await component.start?.()
    }
  } catch (error) {
    log.fatal({ err: error }, 'start failed')
    process.exitCode = 1
    await stop(begun, log)
    lifecycle.state = 'stopped'
    await within(STOP_MS, endLog(), () => {})
    process.exit(1)
  }
  lifecycle.state = 'ready'
  log.info({ startMs: Math.round(process.uptime() * 1000) }, readyText)

  const signal = await isAsked
  lifecycle.state = 'draining'
  log.info({ signal, drainMs }, 'draining')
  const endsAt = nowMs() + drainMs
  for (const component of components.toReversed()) await end('drain', component, Math.max(0, endsAt - nowMs()), log)
  await stop(components, log)
  lifecycle.state = 'stopped'
  log.info({}, 'stopped')
  await within(STOP_MS, endLog(), () => {})
  process.exit(0)
}

async function stop(components: readonly Component[], log: Logger): Promise<void> {
  for (const component of components.toReversed()) await end('stop', component, STOP_MS, log)
}

/** A component that fails, or takes too long, does not keep the others from theirs. */
async function end(step: 'drain' | 'stop', component: Component, ms: number, log: Logger): Promise<void> {
  try {
    await within(ms, component[step]?.(), () => log.warn({ component: component.name }, `${step} cut short`))
  } catch (error) {
    log.warn({ err: error, component: component.name }, `${step} failed`)
  }
}

async function within(ms: number, work: Promise<void> | void, onLate: () => void): Promise<void> {
  if (work === undefined) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      onLate()
      resolve()
    }, ms)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

function untilSignal(log: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isAsked = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (isAsked) {
        log.warn({ signal }, 'second signal, ending at once')
        process.exit(1)
      }
      isAsked = true
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
