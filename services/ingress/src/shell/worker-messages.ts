import type { Endpoint } from '@siplb/sip/transport'
import type { MetricsJson } from '@siplb/runtime'

/** A SIP message that came to a socket of another worker. */
export interface Carried {
  readonly bytes: Uint8Array
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable: boolean
}

/** What workers say to each other. */
export type WorkerMessage =
  /** It is yours: by its branch, or by its token. */
  | { readonly kind: 'packet'; readonly packet: Carried }
  /** Whose is it? By the keys of the transactions that it may belong to. */
  | { readonly kind: 'offer'; readonly id: number; readonly keys: readonly string[]; readonly packet: Carried }
  | { readonly kind: 'offer-answer'; readonly id: number; readonly isTaken: boolean }
  /** The answer to a message that was carried, for the connection that it came by. */
  | { readonly kind: 'reply'; readonly remote: Endpoint; readonly bytes: Uint8Array }

/** What `/readyz` says of a worker. */
export interface WorkerStatus {
  readonly state: string
  readonly details: Readonly<Record<string, unknown>>
}

export type FromWorker =
  | { readonly kind: 'pass'; readonly to: number | 'others'; readonly message: WorkerMessage }
  | { readonly kind: 'status'; readonly status: WorkerStatus }
  | { readonly kind: 'measured'; readonly id: number; readonly metrics: MetricsJson }

export type ToWorker =
  | { readonly kind: 'passed'; readonly from: number; readonly message: WorkerMessage }
  /** Another one opened or closed its sockets: what comes from one port may come to another worker from now on. */
  | { readonly kind: 'regrouped' }
  | { readonly kind: 'measure'; readonly id: number }
