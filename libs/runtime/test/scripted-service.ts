import { setTimeout as sleep } from 'node:timers/promises'
import { createLogger, createTicker, MutableLifecycle, run, type Component } from '@siplb/runtime'

/** What each step of a component does: a time in milliseconds, or more than that. */
type Behaviour = number | 'throws' | 'rejects' | 'hangs'

export interface ScriptedComponent {
  readonly name: string
  readonly start?: Behaviour
  readonly drain?: Behaviour
  readonly stop?: Behaviour
}

export interface Script {
  readonly drainMs: number
  readonly components: readonly ScriptedComponent[]
}

/** A service whose components do as they are told, and log each step with the state that the service is in then. */
function componentOf({ name, ...steps }: ScriptedComponent): Component {
  const act = (step: 'start' | 'drain' | 'stop') => {
    const behaviour = steps[step]
    log.info({ step, component: name, state: lifecycle.state }, 'step')
    if (behaviour === 'throws') throw new Error(`${name} cannot ${step}`, { cause: new Error('the deeper cause') })
    if (typeof behaviour === 'number') return sleep(behaviour)
    if (behaviour === 'rejects') return Promise.reject(new Error(`${name} cannot ${step}`))
    return new Promise<void>(() => {})
  }
  return {
    name,
    ...(steps.start === undefined ? {} : { start: () => act('start') }),
    ...(steps.drain === undefined ? {} : { drain: () => act('drain') }),
    ...(steps.stop === undefined ? {} : { stop: () => act('stop') }),
  }
}

const log = createLogger('scripted', 'scripted-1', { level: 'info' })
const lifecycle = new MutableLifecycle()
const { drainMs, components } = JSON.parse(process.argv[2] ?? '') as Script
const beat = createTicker({ name: 'beat', everyMs: 50, run() {}, onError() {} })
await beat.start?.()
await run({ log, lifecycle, drainMs, components: components.map(componentOf) })
