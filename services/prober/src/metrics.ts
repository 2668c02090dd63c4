import { Counter, Gauge, Histogram, type Registry } from '@siplb/runtime'
import { canaryEndings, type CanaryEnding } from './domain/canary-call.ts'
import type { ProbedProxy } from './domain/probed-proxy.ts'
import type { Sample } from './domain/probe-result.ts'

export type ProberMetrics = ReturnType<typeof createProberMetrics>

/** All metrics of the prober. */
export function createProberMetrics(registry: Registry) {
  const registers = [registry]
  const labelNames = ['pool', 'proxy']
  const responseSeconds = new Histogram({
    name: 'siplb_probe_response_seconds',
    help: 'From sending a probe to the first response; doubtful ones left out.',
    labelNames,
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers,
  })
  const results = new Counter({
    name: 'siplb_probe_results_total',
    help: 'Finished probes by outcome: answered, lost, refused.',
    labelNames: [...labelNames, 'outcome'],
    registers,
  })
  const doubtful = new Counter({
    name: 'siplb_probe_doubtful_total',
    help: 'Finished probes that were taken while the prober itself was late or could not send.',
    registers,
  })
  const strays = new Counter({
    name: 'siplb_probe_strays_total',
    help: 'Messages from proxies that answer no probe under way: malformed, not-a-response, unmatched, foreign.',
    labelNames: ['problem'],
    registers,
  })
  const unsent = new Counter({
    name: 'siplb_probe_socket_errors_total',
    help: 'Errors of probe sockets and of connections that could not be made, as the system names them.',
    labelNames: ['code'],
    registers,
  })
  const canaryCalls = new Counter({
    name: 'siplb_canary_calls_total',
    help:
      'Canary calls (INVITE probes) by how they ended: hung-up, cancelled, declined, unanswered; and those that may have ' +
      'left a call with the callee: bye-refused, bye-unanswered, never-ended.',
    labelNames: [...labelNames, 'ending'],
    registers,
  })
  const canariesLeftOut = new Counter({
    name: 'siplb_canary_calls_left_out_total',
    help: 'INVITE probes not sent, since four canary calls still hang at the proxy.',
    labelNames,
    registers,
  })
  const loadReports = new Counter({
    name: 'siplb_load_reports_total',
    help: 'Loads read, by source.',
    labelNames: [...labelNames, 'source'],
    registers,
  })
  const loadFailures = new Counter({
    name: 'siplb_load_failures_total',
    help: 'Loads that could not be read, by source.',
    labelNames: [...labelNames, 'source'],
    registers,
  })
  const proxies = new Gauge({
    name: 'siplb_probed_proxies',
    help: 'Proxies that this prober probes.',
    registers,
  })
  const probers = new Gauge({
    name: 'siplb_probers_alive',
    help: 'Probers that share the proxies, this one included.',
    registers,
  })
  const labels = ({ pool, id }: ProbedProxy) => ({ pool, proxy: id })
  return {
    sampled(proxy: ProbedProxy, { result }: Sample, isDoubtful: boolean) {
      results.inc({ ...labels(proxy), outcome: result.outcome })
      if (isDoubtful) doubtful.inc()
      else if (result.responseTimeMs !== undefined) {
        responseSeconds.observe(labels(proxy), result.responseTimeMs / 1000)
      }
    },
    canaryEnded: (proxy: ProbedProxy, ending: CanaryEnding) => canaryCalls.inc({ ...labels(proxy), ending }),
    canaryLeftOut: (proxy: ProbedProxy) => canariesLeftOut.inc(labels(proxy)),
    strayed: (problem: string) => strays.inc({ problem }),
    socketFailed: (code: string) => unsent.inc({ code }),
    loadRead: (proxy: ProbedProxy, source: string) => loadReports.inc({ ...labels(proxy), source }),
    loadFailed: (proxy: ProbedProxy, source: string) => loadFailures.inc({ ...labels(proxy), source }),
    shared(probed: number, alive: number) {
      proxies.set(probed)
      probers.set(alive)
    },
    /** Its series would stand still for ever. */
    forget(proxy: ProbedProxy) {
      responseSeconds.remove(labels(proxy))
      for (const outcome of ['answered', 'lost', 'refused']) results.remove({ ...labels(proxy), outcome })
      canariesLeftOut.remove(labels(proxy))
      for (const ending of canaryEndings) canaryCalls.remove({ ...labels(proxy), ending })
      for (const source of loadSources) {
        loadReports.remove({ ...labels(proxy), source })
        loadFailures.remove({ ...labels(proxy), source })
      }
    },
  }
}

/** Ways in which a load reaches the prober, as its events name them. */
const loadSources = ['header', 'body', 'oc', 'kamailio', 'prometheus', 'freeswitch'] as const
export type LoadSourceName = (typeof loadSources)[number]
