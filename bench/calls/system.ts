import type { Address } from '@siplb/testkit'

/** A balancer under measurement. */
export interface System extends AsyncDisposable {
  readonly name: string
  readonly target: Address
  /** Its processes by what they are. */
  readonly parts: ReadonlyMap<string, readonly number[]>
  /** Messages that one worker of its ingress has sent to the bus and heard from it, since it was started. */
  busMessages(): Promise<number>
}
