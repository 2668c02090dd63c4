import {
  load,
  responseTime,
  SketchBuilder,
  type Load,
  type ProxyRecord,
  type ProxyTraffic,
  type ResponseTime,
} from '@siplb/contracts'
import type { Signal } from '../../src/replay/signals.ts'

let seq = 0

export function recordOf(id: string): ProxyRecord {
  return {
    ...{ pool: 'default', id, uri: `sip:${id}.example.com`, weight: 100, tier: 1 },
    ...{ origin: 'config', adminState: 'enabled', actor: 'configuration' },
  }
}

export function probe(at: number, proxy: string, result: Partial<ResponseTime> = { responseTimeMs: 10 }): Signal {
  const data = responseTime.parse({ proxy, ...result })
  return { kind: 'probe', at, seq: (seq += 1), source: '/siplb/prober/p1', data }
}

export function loaded(at: number, proxy: string, value: number, more: Partial<Load> = {}): Signal {
  const data = load.parse({ proxy, load: value, expiresInMs: 600_000, ...more })
  return { kind: 'load', at, seq: (seq += 1), source: '/siplb/prober/p1', data }
}

interface Seen {
  readonly requests: number
  readonly ms?: number
  /** How they end; default success. */
  readonly end?: keyof ProxyTraffic['outcomes']
}

function reportOf(proxy: string, { requests, ms = 10, end = 'success' }: Seen): ProxyTraffic {
  const builder = new SketchBuilder()
  for (let i = 0; i < requests; i++) builder.add(ms)
  const none = { success: 0, redirection: 0, refusal: 0, cancelled: 0 }
  const faults = { unavailable: 0, serverError: 0, timeout: 0, transportError: 0 }
  return {
    ...{ proxy, requests, inFlight: 0, work: 0, dialogs: 0 },
    outcomes: { ...none, ...faults, [end]: requests },
    responseTimes: requests === 0 ? {} : { INVITE: builder.take() },
  }
}

export function traffic(at: number, seen: Readonly<Record<string, Seen>>): Signal {
  const proxies = Object.entries(seen).map(([proxy, one]) => reportOf(proxy, one))
  const data = { ingress: 'i1', intervalMs: 250, epoch: 1, seq: 1, proxies, dialogsEnded: [] }
  return { kind: 'traffic', at, seq: (seq += 1), source: '/siplb/ingress/i1', data }
}
