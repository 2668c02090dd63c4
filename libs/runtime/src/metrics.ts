import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry }

/** A registry with the figures of the process itself. Each service keeps its own metric names in its `metrics.ts`. */
export function createRegistry(): Registry {
  const registry = new Registry()
  // Ten looks a second at the event loop: at every ten milliseconds, the default, four idle services woke as often as for 60 calls.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
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
