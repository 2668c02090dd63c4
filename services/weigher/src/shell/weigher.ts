import { type Bus, Refusal } from '@siplb/bus'
import { weightsQuestion, type Config, type WeightTable } from '@siplb/contracts'
import type { Component, Logger, Readiness, Registry } from '@siplb/runtime'
import { settingsOf, shadowSettingsOf } from '../config.ts'
import { snapshotEvent } from '../domain/table-events.ts'
import { createWeigherMetrics } from '../metrics.ts'
import { PoolKeeper } from './pool-keeper.ts'
import { checkPool, serveProxyCommands } from './proxy-commands.ts'
import { ProxyList } from './proxy-list.ts'
import { ShadowKeeper } from './shadow-keeper.ts'
import { StoreKeeper } from './store-keeper.ts'
import { TableWriter } from './table-writer.ts'
import { UndeclaredPools } from './undeclared-pools.ts'
import { WeighLoop } from './weigh-loop.ts'
import { WriterLeases } from './writer-leases.ts'

export interface WeigherOptions {
  readonly bus: Bus
  readonly config: Config
  readonly registry: Registry
  readonly log: Logger
  readonly now: () => number
}

export interface Weigher {
  readonly components: readonly Component[]
  configure(config: Config): void
  readiness(): Readiness
}

/** Joins the parts of the weigher: who hears what, and who is asked by whom. */
export function createWeigher({ bus, config, registry, log, now }: WeigherOptions): Weigher {
  const keepers = new Map<string, PoolKeeper>()
  const poolIds = () => [...keepers.keys()]
  const shadows = new Map<string, ShadowKeeper>()
  const metrics = createWeigherMetrics(registry, () =>
    [...keepers].map(([id, keeper]) => ({ ...keeper.figures(), shadow: shadows.get(id)?.said })),
  )
  const tables = new TableWriter(bus, ({ pool }) => keepers.get(pool)?.heard(now()))
  const list = new ProxyList({
    bus,
    pools: config.pools,
    onRow: (pool, id, record) => {
      keepers.get(pool)?.setRow(id, record, now())
      shadows.get(pool)?.setRow(id, record, now())
      loop.hasten(pool)
    },
  })
  const leases = new WriterLeases({
    bus,
    pools: Object.keys(config.pools),
    isReady: () => list.hasCaughtUp && tables.hasCaughtUp,
    highestEpoch: (pool) => Math.max(tables.said(pool)?.epoch ?? 0, keepers.get(pool)?.ingressEpoch ?? 0),
    now,
    log,
  })
  const loop = new WeighLoop({ bus, pools: keepers, shadows, tickMs: config.weights.tickMs, metrics, now, log })
  const setPools = (next: Config) => {
    for (const [id, settings] of settingsOf(next)) {
      const known = keepers.get(id)
      if (known !== undefined) {
        known.configure(settings)
        continue
      }
      const keeper = new PoolKeeper({ id, settings, bus, list, tables, leases, metrics, log, now })
      for (const [proxy, record] of list.rowsOf(id)) keeper.setRow(proxy, record, now())
      keepers.set(id, keeper)
    }
  }
  const setShadows = (next: Config) => {
    const wanted = shadowSettingsOf(next)
    for (const id of shadows.keys()) if (!wanted.has(id)) shadows.delete(id)
    for (const [id, settings] of wanted) {
      const known = shadows.get(id)
      if (known !== undefined) known.configure(settings)
      else shadows.set(id, new ShadowKeeper({ id, settings, bus, list, tables, leases, metrics, log, now }))
    }
  }
  const undeclared = new UndeclaredPools({ bus, pools: Object.keys(config.pools), list, tables, now, log })
  setPools(config)
  setShadows(config)
  serveProxyCommands({ bus, list, pools: poolIds, log })
  bus.serve(weightsQuestion, { pool: '*' }, (_question, { pool = '' }) => snapshotEvent(tableOf(pool)))

  function tableOf(pool: string): WeightTable {
    checkPool(pool, poolIds())
    const table = keepers.get(pool)?.table()
    if (table === undefined)
      throw new Refusal(503, `the weights of pool "${pool}" are not worked out yet; ask again in a second`)
    return table
  }

  return {
    components: [new StoreKeeper(bus, log), tables, list, leases, undeclared, loop],
    configure(next) {
      list.configure(next.pools)
      setPools(next)
      setShadows(next)
      for (const id of poolIds()) {
        if (next.pools[id] !== undefined) continue
        // Its declared proxies leave the list with it, or they would be probed for ever.
        if (leases.epochOf(id) !== undefined)
          void list.import(id).catch((err: unknown) => log.warn({ err, poolId: id }, 'proxies not removed'))
        keepers.delete(id)
      }
      leases.configure(Object.keys(next.pools))
      undeclared.configure(Object.keys(next.pools))
      void loop.configure(next)
    },
    readiness: () => ({
      isReady: loop.isRunning(now()),
      details: {
        bus: bus.isConnected() ? 'connected' : 'gone: weights stay as they were said',
        pools: Object.fromEntries(poolIds().map((id) => [id, describe(id)])),
      },
    }),
  }

  function describe(id: string) {
    const table = tables.said(id)
    const proxies = keepers.get(id)?.pool.size ?? 0
    return { writer: leases.epochOf(id) !== undefined, epoch: table?.epoch, seq: table?.seq, proxies }
  }
}
