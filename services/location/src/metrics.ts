import { Counter, Gauge, Histogram, Tally, type Registry } from '@siplb/runtime'

export type LocationMetrics = ReturnType<typeof createLocationMetrics>

/** All metric names of location. */
export function createLocationMetrics(registry: Registry) {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers })
  return {
    decisions: new Tally({
      name: 'siplb_route_decisions_total',
      help: 'Candidate lists given, ahead or for a request, by the proxy drawn first.',
      labelNames: ['pool', 'proxy', 'source'],
      registers,
    }),
    unrouted: counter('siplb_route_unrouted_total', 'Requests that no proxy was found for, and why.', ['outcome']),
    questionTime: new Histogram({
      name: 'siplb_route_decision_seconds',
      help: 'Time to answer a question, whether it holds one request or many.',
      buckets: [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05],
      registers,
    }),
    untold: counter('siplb_route_untold_total', 'Candidate lists given that were too many to tell others of.'),
    tables: counter(
      'siplb_weight_tables_total',
      'Weight tables heard: newer and used, known already, older, or misplaced.',
      ['pool', 'result'],
    ),
  }
}

/** How long ago the weigher was last heard on each pool, asked for when the metrics are read. */
export function createAgeGauge(
  registry: Registry,
  ages: () => Iterable<readonly [pool: string, ageMs: number]>,
): Gauge {
  return new Gauge({
    name: 'siplb_weights_age_seconds',
    help: 'Since the weigher was last heard on this pool; since the start where it never was.',
    labelNames: ['pool'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [pool, ageMs] of ages()) this.set({ pool }, ageMs / 1000)
    },
  })
}
