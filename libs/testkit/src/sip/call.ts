import type { ClientTransaction } from './client-transactions.ts'
import { callerDialog, nextRequest, type Dialog } from './dialog.ts'
import { paramOf, valueOf, type Address, type Request, type Response } from './message.ts'
import { sdp } from './sdp.ts'
import type { UserAgent } from './user-agent.ts'

export interface CallPlan {
  /** From ACK to BYE, in milliseconds. */
  readonly callMs: number
  /** re-INVITEs in between, evenly spread. */
  readonly reInvites: number
  /** Who sends the BYE; for the called side the caller waits up to `callMs` and 5 s. */
  readonly hangUp: 'caller' | 'called'
  /** CANCEL, so long after the INVITE. */
  readonly cancelAfterMs: number | undefined
}

export interface CallResult {
  readonly callId: string
  /** `completed`: answered and hung up as it should be. */
  readonly outcome: 'completed' | 'cancelled' | 'failed'
  /** Of a failure: `timeout`, the status, `no-bye`, `BYE timeout`, `BYE 481`, `INVITE 481` (of a re-INVITE), … */
  readonly reason: string | undefined
  /** Of the INVITE; undefined without a final response. */
  readonly status: number | undefined
  /** From INVITE to the first response of any kind, and to the final one. */
  readonly firstResponseMs: number | undefined
  readonly setupMs: number | undefined
  /** Of all requests of the call. */
  readonly retransmissions: number
  /** The `Server` header of the final response. */
  readonly answeredBy: string | undefined
  /** The `Server` headers of the answers to re-INVITE and BYE: whom the dialog went to. */
  readonly followedBy: readonly string[]
  readonly final: Response | undefined
}

// How long the caller waits for the BYE of the called side, after callMs.
const BYE_MS = 5000

/** One call of a caller, from its INVITE to the end. */
export class Call {
  readonly callId: string
  readonly #agent: UserAgent
  readonly #plan: CallPlan
  readonly #transactions: ClientTransaction[] = []
  readonly #followedBy: string[] = []
  readonly #hungUp = Promise.withResolvers<boolean>()
  #dialog: Dialog | undefined

  constructor(agent: UserAgent, callId: string, plan: CallPlan) {
    this.#agent = agent
    this.callId = callId
    this.#plan = plan
  }

  get dialog(): Dialog | undefined {
    return this.#dialog
  }

  /** The other side has sent BYE. */
  hungUp(): void {
    this.#hungUp.resolve(true)
  }

  async run(invite: Request, to: Address): Promise<CallResult> {
    const startedAt = performance.now()
    const transaction = this.#ask(invite, to)
    if (this.#plan.cancelAfterMs !== undefined)
      this.#agent.timers.after(this.#plan.cancelAfterMs, () => this.#cancel(transaction))
    const final = await transaction.final
    const setupMs = performance.now() - startedAt
    const outcome = await this.#goOn(invite, final)
    return {
      callId: this.callId,
      ...outcome,
      status: final?.status,
      setupMs: final === undefined ? undefined : setupMs,
      final,
      firstResponseMs: transaction.firstResponseMs,
      retransmissions: this.#transactions.reduce((sum, t) => sum + t.retransmissions, 0),
      answeredBy: final === undefined ? undefined : valueOf(final, 'Server') || undefined,
      followedBy: this.#followedBy,
    }
  }

  async #goOn(invite: Request, final: Response | undefined): Promise<Pick<CallResult, 'outcome' | 'reason'>> {
    if (final === undefined) return failed('timeout')
    if (final.status === 487 && this.#plan.cancelAfterMs !== undefined)
      return { outcome: 'cancelled', reason: undefined }
    if (final.status >= 300) return failed(String(final.status))
    this.#dialog = callerDialog(invite, final)
    this.#acknowledge()
    const reason = await this.#talk()
    return reason === undefined ? { outcome: 'completed', reason } : failed(reason)
  }

  // A call that the other side has ended is over, whoever was to end it.
  async #talk(): Promise<string | undefined> {
    const { callMs, reInvites, hangUp } = this.#plan
    for (let i = 0; i < reInvites; i++) {
      if (await this.#isHungUpWithin(callMs / (reInvites + 1))) return undefined
      const reason = await this.#follow('INVITE', sdp(this.#agent.local.address))
      if (reason !== undefined) return reason
      this.#acknowledge()
    }
    if (await this.#isHungUpWithin(callMs / (reInvites + 1))) return undefined
    if (hangUp === 'caller') return this.#follow('BYE')
    return (await this.#isHungUpWithin(BYE_MS)) ? undefined : 'no-bye'
  }

  async #isHungUpWithin(ms: number): Promise<boolean> {
    const late = Promise.withResolvers<boolean>()
    const timer = this.#agent.timers.after(ms, () => late.resolve(false))
    const isHungUp = await Promise.race([this.#hungUp.promise, late.promise])
    this.#agent.timers.cancel(timer)
    return isHungUp
  }

  async #follow(method: string, body = ''): Promise<string | undefined> {
    if (this.#dialog === undefined) return undefined
    const { dialog, request, to } = nextRequest(this.#dialog, method, body)
    this.#dialog = dialog
    const response = await this.#ask(request, to).final
    if (response === undefined) return `${method} timeout`
    this.#followedBy.push(valueOf(response, 'Server'))
    return response.status < 300 ? undefined : `${method} ${response.status}`
  }

  // A 2xx that comes again has lost its ACK; one from another branch of a fork, with another tag, is not ours.
  #ask(request: Request, to: Address): ClientTransaction {
    const transaction = this.#agent.ask(request, to, {
      onRepeated: (response) => {
        const tag = paramOf(valueOf(response, 'To'), 'tag')
        if (this.#dialog !== undefined && paramOf(this.#dialog.remote, 'tag') === tag) this.#acknowledge()
      },
    })
    this.#transactions.push(transaction)
    return transaction
  }

  #acknowledge(): void {
    if (this.#dialog === undefined) return
    const { request, to } = nextRequest(this.#dialog, 'ACK')
    this.#agent.acknowledge(request, to)
  }

  // Only what was heard of can be cancelled (RFC 3261, 9.1).
  #cancel(invite: ClientTransaction): void {
    if (invite.firstResponseMs !== undefined) this.#transactions.push(this.#agent.cancel(invite))
  }
}

function failed(reason: string): { outcome: 'failed'; reason: string } {
  return { outcome: 'failed', reason }
}
