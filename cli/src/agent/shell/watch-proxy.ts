import { createTicker } from '@siplb/runtime'
import { loadBetween, type AgentLoad } from '../domain/agent-load.ts'
import { targetText } from '../domain/process-tree.ts'
import type { Sighting } from '../domain/sighting.ts'
import { look, type Sought } from './look.ts'

export interface WatchOptions extends Sought {
  readonly proxy: string
  readonly intervalMs: number
  readonly onLoad: (load: AgentLoad) => void
  readonly remark: (text: string) => void
  /** In place of `remark`, when there are no processes. */
  readonly onGone?: (text: string) => void
}

/** Tells the load of a proxy's processes at a steady rate. While they are gone it tells nothing: no processes are no load of 0. */
export function watchProxy(options: WatchOptions): { stop(): void } {
  const { proxy, intervalMs, onLoad, remark } = options
  const flips = createFlips(options)
  let before: Sighting | undefined
  const ticker = createTicker({
    name: 'agent',
    everyMs: intervalMs,
    run: () => {
      const now = look(options)
      flips.say(now)
      const load = before === undefined || now === undefined ? undefined : loadBetween(before, now)
      before = now
      if (load !== undefined) onLoad(load)
    },
    onError: (error) => remark(`the load of ${proxy} cannot be told: ${String(error)}`),
  })
  void ticker.start?.()
  return { stop: () => void ticker.stop?.() }
}

/** Says once that the processes are there, or gone, and once that nothing listens. */
function createFlips({ target, ports, proxy, remark, onGone = remark }: WatchOptions): {
  say(now: Sighting | undefined): void
} {
  let said = ''
  return {
    say(now) {
      const text = stateText(now)
      if (text !== said) (now === undefined ? onGone : remark)(text)
      said = text
    },
  }

  function stateText(now: Sighting | undefined): string {
    if (now === undefined) return `${targetText(target)} is not running: nothing is told of ${proxy} until it is`
    if (now.sockets.length > 0) return `watching ${targetText(target)} for ${proxy}`
    const all = [...ports].join(' or ')
    return `watching ${targetText(target)} for ${proxy}, but no UDP socket has port ${all}: say by --port which it has, or its queue does not count`
  }
}
