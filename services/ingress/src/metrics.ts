import { Counter, Gauge, Histogram, Tally, type Registry } from '@siplb/runtime'

/** All metric names of the ingress. */
export function createIngressMetrics(registry: Registry) {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const tally = (name: string, help: string, labelNames: string[]) => new Tally({ name, help, labelNames, registers })
  return {
    requests: tally('siplb_sip_requests_total', 'SIP requests received, less retransmissions.', [
      'method',
      'transport',
    ]),
    responses: tally('siplb_sip_responses_total', 'SIP responses received, by class.', ['class']),
    retransmissions: counter('siplb_sip_retransmissions_total', 'Requests that came again and were absorbed.'),
    dropped: counter('siplb_sip_dropped_total', 'Messages dropped, and why.', ['reason']),
    malformed: counter('siplb_sip_malformed_total', 'Messages that break the grammar or a limit.', [
      'problem',
      'answered',
    ]),
    answered: counter('siplb_sip_answered_total', 'Requests that the balancer answered itself.', ['status']),
    decisions: tally('siplb_route_decisions_total', 'Requests sent to a proxy, and who chose it.', [
      'pool',
      'proxy',
      'source',
    ]),
    shadowDecisions: counter(
      'siplb_shadow_decisions_total',
      'Requests that the shadow of the pool would have sent there.',
      ['pool', 'proxy'],
    ),
    decisionTime: new Histogram({
      name: 'siplb_route_decision_seconds',
      help: 'From the question to the choice.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1],
      registers,
    }),
    fallbacks: counter('siplb_route_fallbacks_total', 'Choices made without location, and why.', ['why']),
    failovers: counter('siplb_failovers_total', 'Further proxies tried for a request.', ['pool']),
    diverted: counter(
      'siplb_overload_diverted_total',
      'New requests that went elsewhere because the picked proxy asks for less.',
      ['pool', 'proxy'],
    ),
    shed: counter('siplb_shed_total', 'New requests refused because all proxies ask for less, by class.', [
      'pool',
      'class',
    ]),
    overloadIgnored: counter('siplb_overload_ignored_total', 'Overload control that was not obeyed, and why.', ['why']),
    untold: counter('siplb_sip_untold_total', 'Messages that evt.sip.received left out because too many waited.'),
    unheard: counter('siplb_sip_unheard_total', 'Messages of which nobody was there to hear by evt.sip.received.'),
    refused: counter('siplb_proxy_refused_total', 'Sends that nobody listened to.'),
    socketProblems: counter('siplb_socket_problems_total', 'Failures of sockets.', ['code']),
    transactions: new Gauge({
      name: 'siplb_transactions',
      help: 'Transactions that live now.',
      labelNames: ['kind'],
      registers,
    }),
    connections: new Gauge({
      name: 'siplb_sip_connections',
      help: 'Connections that callers and proxies hold to us.',
      labelNames: ['transport'],
      registers,
    }),
    dialogs: new Gauge({ name: 'siplb_dialogs', help: 'Dialogs that this ingress counts.', registers }),
    tableAge: new Gauge({
      name: 'siplb_weights_age_seconds',
      help: 'Since the table was last heard of.',
      labelNames: ['pool'],
      aggregator: 'max',
      registers,
    }),
  }
}

export type IngressMetrics = ReturnType<typeof createIngressMetrics>
