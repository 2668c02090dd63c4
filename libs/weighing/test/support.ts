import type { Outcomes, ProxyTraffic } from '@siplb/contracts'

const noOutcomes: Outcomes = {
  success: 0,
  redirection: 0,
  refusal: 0,
  cancelled: 0,
  unavailable: 0,
  serverError: 0,
  timeout: 0,
  transportError: 0,
}

/** What an ingress tells of a proxy: so many requests, ended so. */
export function report(
  proxy: string,
  requests: number,
  outcomes: Partial<Outcomes> = {},
  more: Partial<ProxyTraffic> = {},
): ProxyTraffic {
  return {
    ...{ proxy, requests, inFlight: 0, work: 0, dialogs: 0, responseTimes: {} },
    outcomes: { ...noOutcomes, ...outcomes },
    ...more,
  }
}
