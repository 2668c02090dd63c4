import type { Address } from '@siplb/testkit'

/** A balancer under measurement. */
export interface System extends AsyncDisposable {
  readonly name: string
  readonly target: Address
  /** Its processes by what they are. */
  readonly parts: ReadonlyMap<string, readonly number[]>
  /** Messages that its bus has taken in since it was started. */
  busMessages(): Promise<number>
}
