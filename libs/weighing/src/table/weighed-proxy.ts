import type { OverloadAsked, ProxyState, Signals, WeightRow } from '@siplb/contracts'

/** What the weigher makes of one proxy now, before it is decided whether that is worth saying. */
export interface WeighedProxy {
  readonly id: string
  readonly uri: string
  readonly tier: number
  readonly baseWeight: number
  readonly weight: number
  readonly state: ProxyState
  readonly restricted: boolean
  /** What decides the weight, in words. */
  readonly why: string
  /** Why the base weight is what it is, in words. */
  readonly baseWhy: string
  /** Who put it into its state: the weigher, or the operator of a command. */
  readonly actor: string
  readonly signals: Signals
  readonly overload?: OverloadAsked | undefined
  readonly drain?: WeightRow['drain']
}

export interface Weighing {
  readonly panic: boolean
  readonly proxies: readonly WeighedProxy[]
}
