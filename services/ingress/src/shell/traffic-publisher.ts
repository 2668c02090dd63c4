import { trafficSeen } from '@siplb/contracts'
import { createTicker, type Component } from '@siplb/runtime'
import type { IngressContext } from './context.ts'
import type { Listeners } from './listeners.ts'

const TRAFFIC_MS = 250
/** Dialogs that are looked at each time, whether their leases ran out: all of a million within a minute. */
const LEASES = 5000
/** In one event; more wait for the next, and more than that are left to their leases. */
const MOST_ENDED = 1000

/** Tells, per pool and interval, what this ingress sees of each proxy; and hears from the others which of its dialogs ended. */
export function createTrafficPublisher(ctx: IngressContext, listeners: Listeners): Component {
  const onError = (error: unknown) => ctx.log.error({ err: error }, 'traffic not published')
  const attempt = (work: () => void) => {
    try {
      work()
    } catch (error) {
      onError(error)
    }
  }
  const publishPool = (pool: string) => {
    const { bus, self, tables, dialogs } = ctx
    const { epoch = 0, seq = 0 } = tables.get(pool) ?? {}
    const taken = ctx.trafficOf(pool).take(tables.listed(pool), dialogs.countsOf(pool), ctx.now())
    const proxies = ctx.shadows.counted(pool, taken)
    const ended = ctx.dialogsEnded(pool)
    const dialogsEnded = ended.splice(0, MOST_ENDED)
    const shed = ctx.trafficOf(pool).takeShed()
    const sip = listeners.ownPlace()
    const worker = bus.instance === self.instance ? {} : { instance: self.instance }
    const of = {
      ingress: bus.instance,
      ...worker,
      intervalMs: TRAFFIC_MS,
      epoch,
      seq,
      ...(sip === undefined ? {} : { sip }),
    }
    const told = { ...of, proxies, shed, dialogsEnded }
    // What nobody heard is told again, for else the other one counts on.
    if (!bus.publish(trafficSeen, { pool }, told)) ended.unshift(...dialogsEnded.slice(0, MOST_ENDED - ended.length))
  }
  const run = () => {
    ctx.dialogs.expire(ctx.now(), LEASES)
    for (const pool of Object.keys(ctx.config.pools)) {
      attempt(() => publishPool(pool))
      const ageMs = ctx.tables.ageMs(pool)
      if (ageMs !== undefined) ctx.metrics.tableAge.set({ pool }, ageMs / 1000)
    }
    ctx.metrics.transactions.set({ kind: 'server' }, ctx.servers.size)
    ctx.metrics.transactions.set({ kind: 'client' }, ctx.clients.size)
    ctx.metrics.dialogs.set(ctx.dialogs.size)
    for (const [transport, count] of listeners.connections()) ctx.metrics.connections.set({ transport }, count)
  }
  const ticker = createTicker({ name: 'traffic', everyMs: TRAFFIC_MS, run, onError })
  return {
    ...ticker,
    start() {
      ctx.bus.subscribe(trafficSeen, { pool: '*' }, ({ data }) => {
        ctx.ingresses.seen(data, ctx.now())
        for (const { ingress, dialog } of data.dialogsEnded) {
          if (ingress === ctx.self.instance) ctx.dialogs.close(dialog)
        }
      })
      return ticker.start?.()
    },
  }
}
