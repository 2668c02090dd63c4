import type { WeightTable } from '@siplb/contracts'
import { Counter, Gauge, type Registry } from '@siplb/runtime'
import type { Weighing } from './domain/weighed-proxy.ts'

export type WeigherMetrics = ReturnType<typeof createWeigherMetrics>

/** All metrics of the weigher. `ageMs`: since when each pool's table was last written or heard of. */
export function createWeigherMetrics(registry: Registry, ages: () => Iterable<readonly [pool: string, ageMs: number]>) {
  const registers = [registry]
  const proxyLabels = ['pool', 'proxy']
  const gauge = (name: string, help: string, labelNames: string[] = proxyLabels) =>
    new Gauge({ name, help, labelNames, registers })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const weight = gauge('siplb_proxy_weight', 'Effective weight, as published.')
  const base = gauge('siplb_proxy_base_weight', 'Base weight, as configured or set by the operator.')
  const state = gauge('siplb_proxy_state', '1 for the state that the proxy is in.', [...proxyLabels, 'state'])
  const response = gauge('siplb_proxy_response_seconds', 'Response time that the weight goes by.')
  const load = gauge('siplb_proxy_load_ratio', 'Load, 0 to 1.')
  const faults = gauge('siplb_proxy_fault_ratio', 'Believed part of requests that fail by fault of the proxy.')
  const inFlight = gauge('siplb_proxy_in_flight', 'Requests forwarded and unfinished, over all ingresses.')
  const dialogs = gauge('siplb_proxy_dialogs', 'Open dialogs, over all ingresses.')
  const isPanic = gauge('siplb_pool_panic', '1 while so few proxies are left that those that are out are used too.', [
    'pool',
  ])
  const isWriter = gauge('siplb_weights_writer', '1 where this instance writes the table of the pool.', ['pool'])
  const epoch = gauge('siplb_weights_epoch', 'Epoch of the table.', ['pool'])
  const seq = gauge('siplb_weights_seq', 'Sequence number of the table within its epoch.', ['pool'])
  const published = counter('siplb_weights_published_total', 'Tables written and published.', ['pool'])
  const failures = counter('siplb_weights_write_failures_total', 'Tables that could not be written: conflict, store.', [
    'pool',
    'problem',
  ])
  const ignored = counter(
    'siplb_weigher_events_ignored_total',
    'Events that changed nothing: unknown-pool, unknown-proxy, repeated.',
    ['channel', 'reason'],
  )
  const age = new Gauge({
    name: 'siplb_weights_age_seconds',
    help: 'Since the table of the pool was last worked out and found true, changed, or heard of.',
    labelNames: ['pool'],
    registers,
    collect() {
      this.reset()
      for (const [pool, ageMs] of ages()) this.set({ pool }, ageMs / 1000)
    },
  })
  const ofProxy = [weight, base, response, load, faults, inFlight, dialogs]
  const ofPool = [isPanic, isWriter, epoch, seq, age]
  const states = new Map<string, string>()
  const setState = (pool: string, proxy: string, now: string) => {
    const before = states.get(`${pool}.${proxy}`)
    if (before !== undefined && before !== now) state.remove({ pool, proxy, state: before })
    states.set(`${pool}.${proxy}`, now)
    state.set({ pool, proxy, state: now }, 1)
  }
  const setOrRemove = (one: Gauge, labels: { pool: string; proxy: string }, value: number | undefined) => {
    if (value === undefined) one.remove(labels)
    else one.set(labels, value)
  }
  return {
    published: (pool: string) => published.inc({ pool }),
    writeFailed: (pool: string, problem: 'conflict' | 'store') => failures.inc({ pool, problem }),
    ignored: (channel: string, reason: 'unknown-pool' | 'unknown-proxy' | 'repeated') =>
      ignored.inc({ channel, reason }),
    weighed(pool: string, { proxies }: Weighing, said: WeightTable | undefined, isHeld: boolean) {
      isWriter.set({ pool }, isHeld ? 1 : 0)
      const rows = new Map(said?.proxies.map((row) => [row.id, row]))
      for (const proxy of proxies) {
        const { signals } = proxy
        const labels = { pool, proxy: proxy.id }
        weight.set(labels, rows.get(proxy.id)?.weight ?? proxy.weight)
        base.set(labels, proxy.baseWeight)
        setState(pool, proxy.id, proxy.state)
        setOrRemove(response, labels, signals.responseTimeMs === undefined ? undefined : signals.responseTimeMs / 1000)
        setOrRemove(load, labels, signals.load)
        setOrRemove(faults, labels, signals.faultRate)
        setOrRemove(inFlight, labels, signals.inFlight)
        setOrRemove(dialogs, labels, signals.dialogs)
      }
      if (said === undefined) return
      isPanic.set({ pool }, said.panic ? 1 : 0)
      epoch.set({ pool }, said.epoch)
      seq.set({ pool }, said.seq)
    },
    /** Their series would stand still for ever. */
    forgetProxy(pool: string, proxy: string) {
      for (const one of ofProxy) one.remove({ pool, proxy })
      const before = states.get(`${pool}.${proxy}`)
      if (before !== undefined) state.remove({ pool, proxy, state: before })
      states.delete(`${pool}.${proxy}`)
    },
    forgetPool(pool: string) {
      for (const one of ofPool) one.remove({ pool })
    },
  }
}
