import { trafficSeen } from '@siplb/contracts'
import { createTicker, type Component } from '@siplb/runtime'
import type { IngressContext } from './context.ts'
import { dialogDigest } from './dialogs.ts'

const TRAFFIC_MS = 250

/** Tells, per pool and interval, what this ingress sees of each proxy; and hears from the others which of its dialogs ended. */
export function createTrafficPublisher(ctx: IngressContext): Component {
  const publishPool = (pool: string) => {
    const { bus, tables, dialogs } = ctx
    const { epoch = 0, seq = 0 } = tables.get(pool) ?? {}
    const ids = tables.rowsOf(pool).map(({ id }) => id)
    const proxies = ctx.trafficOf(pool).take(ids, (proxy) => dialogs.countOf(pool, proxy))
    const dialogsEnded = ctx.dialogsEnded(pool).splice(0)
    bus.publish(
      trafficSeen,
      { pool },
      { ingress: bus.instance, intervalMs: TRAFFIC_MS, epoch, seq, proxies, dialogsEnded },
    )
  }
  const run = () => {
    ctx.dialogs.expire(ctx.now())
    for (const pool of Object.keys(ctx.config.pools)) {
      publishPool(pool)
      const ageMs = ctx.tables.ageMs(pool)
      if (ageMs !== undefined) ctx.metrics.tableAge.set({ pool }, ageMs / 1000)
    }
    ctx.metrics.transactions.set({ kind: 'server' }, ctx.servers.size)
    ctx.metrics.transactions.set({ kind: 'client' }, ctx.clients.size)
    ctx.metrics.dialogs.set(ctx.dialogs.size)
  }
  const onError = (error: unknown) => ctx.log.error({ err: error }, 'traffic not published')
  const ticker = createTicker({ name: 'traffic', everyMs: TRAFFIC_MS, run, onError })
  return {
    ...ticker,
    start() {
      ctx.bus.subscribe(trafficSeen, { pool: '*' }, ({ data }) => {
        for (const { ingress, dialog } of data.dialogsEnded) {
          if (ingress === ctx.bus.instance) ctx.dialogs.closeBy((key) => dialogDigest(key) === dialog)
        }
      })
      return ticker.start?.()
    },
  }
}
