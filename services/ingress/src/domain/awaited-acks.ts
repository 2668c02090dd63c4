/** A callee without the ACK sends its 2xx again 0.5, 1.5 and 3.5 s after the first (RFC 3261, 13.3.1.4). */
const AWAITED_MS = 4000

/** By their dialogs, the calls that were taken while the process drains and whose ACK has not passed yet. */
export class AwaitedAcks {
  readonly #until = new Map<string, number>()

  taken(dialog: string, now: number): void {
    this.#until.set(dialog, now + AWAITED_MS)
  }

  passed(dialog: string): void {
    this.#until.delete(dialog)
  }

  /** An ACK that never comes, or by another worker, is not waited for longer than some retransmissions of the 2xx. */
  isEmpty(now: number): boolean {
    for (const [dialog, until] of this.#until) if (until <= now) this.#until.delete(dialog)
    return this.#until.size === 0
  }
}
