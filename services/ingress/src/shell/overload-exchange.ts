import { loadReported } from '@siplb/contracts'
import { createTicker, type Component } from '@siplb/runtime'
import type { IngressContext } from './context.ts'

const TELL_MS = 50

/** Tells what proxies ask for in their responses, gathered per tick; and hears what they told probers and other ingresses. */
export function createOverloadExchange(ctx: IngressContext): Component {
  const { bus } = ctx
  const self = `/siplb/${bus.service}/${bus.instance}`
  const isControlled = (pool: string) => ctx.config.pools[pool]?.overload.control === true
  const tellPool = (pool: string) => {
    const { news } = ctx.overloadOf(pool)
    const loads = news.take(ctx.now())
    if (loads.length > 0 && !bus.publish(loadReported, { pool }, loads)) news.untold()
  }
  const ticker = createTicker({
    name: 'overload',
    everyMs: TELL_MS,
    run: () => Object.keys(ctx.config.pools).filter(isControlled).forEach(tellPool),
    onError: (error) => ctx.log.error({ err: error }, 'overload not told'),
  })
  return {
    ...ticker,
    start() {
      bus.subscribe(loadReported, { pool: '*' }, ({ params, data, source }) => {
        const { pool = '' } = params
        const { proxy, overload, ageMs } = data
        if (overload === undefined || source === self || !isControlled(pool)) return
        if (ctx.tables.get(pool)?.find(proxy) === undefined) return
        const isNew = ctx.overloadOf(pool).control.hear(proxy, overload, ageMs, ctx.now())
        if (!isNew) ctx.metrics.overloadIgnored.inc({ why: 'old' })
      })
      return ticker.start?.()
    },
  }
}
