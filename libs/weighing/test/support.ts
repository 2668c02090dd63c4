import type { Outcomes, ProxyTraffic, Queueing } from '@siplb/contracts'

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

/** One request to a proxy: its response time, and what was ahead. */
export interface Seen {
  readonly ms: number
  readonly invites: number
  readonly others: number
}

/** As an ingress sums up what it saw. */
export function sumsOf(seen: readonly Seen[]): Queueing {
  const sum = (of: (one: Seen) => number) => seen.reduce((total, one) => total + of(one), 0)
  return {
    samples: seen.length,
    ms: sum(({ ms }) => ms),
    ms2: sum(({ ms }) => ms * ms),
    invites: sum(({ invites }) => invites),
    invites2: sum(({ invites }) => invites ** 2),
    others: sum(({ others }) => others),
    others2: sum(({ others }) => others ** 2),
    invitesOthers: sum(({ invites, others }) => invites * others),
    invitesMs: sum(({ invites, ms }) => invites * ms),
    othersMs: sum(({ others, ms }) => others * ms),
  }
}
