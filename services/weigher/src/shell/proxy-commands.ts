import { type Bus, Refusal } from '@siplb/bus'
import {
  addProxy,
  disableProxy,
  drainProxy,
  enableProxy,
  removeProxy,
  setProxy,
  type ProxyRecord,
} from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import { add, administer, remove, reweigh, type ListChange, type Target } from '../domain/proxy-list.ts'
import type { ProxyList } from './proxy-list.ts'

export interface ProxyCommandsOptions {
  readonly bus: Bus
  readonly list: ProxyList
  readonly pools: () => readonly string[]
  readonly log: Logger
}

/** Answers the operators' commands. Any replica does, by compare-and-set on the list. */
export function serveProxyCommands({ bus, list, pools, log }: ProxyCommandsOptions): void {
  const carryOut = async (
    verb: string,
    target: Target,
    decide: (known: ProxyRecord | undefined) => ListChange,
  ): Promise<{ proxy: ProxyRecord }> => {
    const { pool, proxy, actor } = target
    checkPool(pool, pools())
    const change = await list.change(pool, proxy, decide).catch((error: unknown) => {
      log.warn({ err: error, poolId: pool, proxyId: proxy }, 'proxy list not written')
      throw new Refusal(
        503,
        'the proxy list cannot be written now; give the command again when JetStream answers ("siplb doctor")',
      )
    })
    if (change.kind === 'refused') throw new Refusal(change.status, change.text)
    if (change.kind !== 'unchanged') log.info({ poolId: pool, proxyId: proxy, actor, verb }, 'proxy list changed')
    return { proxy: change.record }
  }
  bus.serve(addProxy, {}, (q) => carryOut('add', q, (known) => add(known, q, q)))
  bus.serve(removeProxy, {}, (q) => carryOut('remove', q, (known) => remove(known, q)))
  bus.serve(drainProxy, {}, (q) => carryOut('drain', q, (known) => administer(known, q, 'draining')))
  bus.serve(enableProxy, {}, (q) => carryOut('enable', q, (known) => administer(known, q, 'enabled')))
  bus.serve(disableProxy, {}, (q) => carryOut('disable', q, (known) => administer(known, q, 'disabled')))
  bus.serve(setProxy, {}, (q) => carryOut('set', q, (known) => reweigh(known, q, q.weight)))
}

/** Pools say which requests they take, so they come from the configuration alone. */
export function checkPool(pool: string, pools: readonly string[]): void {
  if (pools.includes(pool)) return
  const known = pools.length === 0 ? 'the configuration has none' : `there is ${pools.join(', ')}`
  throw new Refusal(404, `there is no pool "${pool}": ${known}; declare it under "pools" in the configuration`)
}
