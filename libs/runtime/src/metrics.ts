import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry }

export interface RegistryOptions {
  /** Between two looks at how late the event loop is. Each wakes the process: ten a second were most wake-ups of one that carries no calls. */
  readonly loopLookMs?: number
}

/** A registry with the figures of the process itself. Each service keeps its own metric names in its `metrics.ts`. */
export function createRegistry({ loopLookMs = 100 }: RegistryOptions = {}): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopLookMs })
  return registry
}

/** All metrics of one process, as they go to another one. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** Prometheus text of several processes: each metric added up, or taken as its `aggregator` says. */
export function sumMetrics(all: readonly MetricsJson[]): Promise<string> {
  return AggregatorRegistry.aggregate([...all]).metrics()
}

/** Counters of what happens on the bus; fits the observer that a bus asks for. */
export function createBusCounters(registry: Registry) {
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const published = counter('siplb_bus_published_total', 'Messages published, by channel.', ['channel'])
  const unpublished = counter('siplb_bus_unpublished_total', 'Messages dropped because the bus was gone.', ['channel'])
  const received = counter('siplb_bus_received_total', 'Messages received, by channel.', ['channel'])
  const dropped = counter('siplb_bus_dropped_total', 'Messages received and dropped, and why.', ['channel', 'problem'])
  return {
    published: (channel: string) => published.inc({ channel }),
    unpublished: (channel: string) => unpublished.inc({ channel }),
    received: (channel: string) => received.inc({ channel }),
    dropped: (channel: string, problem: string) => dropped.inc({ channel, problem }),
  }
}
