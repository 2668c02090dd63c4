import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pin, toolCores } from './pinning.ts'
import type { CallerSays, LoadOrder, LoadReport, ProxiesSay } from './tool-messages.ts'

interface LoadWindow {
  /** Called when calls begin to count, and when they cease to. */
  readonly onCounting: () => void
  readonly onCounted: () => void
}

/** The caller and the proxies, each a process of its own. */
export interface LoadTools extends AsyncDisposable {
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  call(order: LoadOrder, window: LoadWindow): Promise<LoadReport>
  /** What has reached the proxies since they were started. */
  arrived(): Promise<{ readonly invites: number; readonly byes: number }>
}

export async function startLoadTools(proxies: number): Promise<LoadTools> {
  const cores = toolCores(availableParallelism())
  pin(process.pid, cores)
  const proxy = fork(join(import.meta.dirname, 'proxies.ts'), [String(proxies)], { serialization: 'advanced' })
  const caller = fork(join(import.meta.dirname, 'caller.ts'), [], { serialization: 'advanced' })
  const [{ ports }] = await Promise.all([heard<ProxiesSay>(proxy, 'listening'), heard<CallerSays>(caller, 'ready')])
  const children = [proxy, caller]
  return {
    ports,
    pids: children.flatMap(({ pid }) => pid ?? []),
    async call(order, { onCounting, onCounted }) {
      caller.send(order)
      await heard<CallerSays>(caller, 'counting')
      onCounting()
      await heard<CallerSays>(caller, 'counted')
      onCounted()
      return heard<LoadReport>(caller, 'report')
    },
    async arrived() {
      proxy.send('counts')
      return heard<ProxiesSay>(proxy, 'counts')
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(ended))
    },
  }
}

async function heard<T extends { readonly kind: string }>(child: ChildProcess, kind: T['kind']): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: T) => {
      if (message.kind !== kind) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message)
    }
    const onExit = () => reject(new Error(`a load tool ended before it said "${kind}"`))
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.disconnect()
  await gone
}
