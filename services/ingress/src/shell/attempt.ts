import type { SipResponse } from '@siplb/sip'
import type { Branch, BranchFailure } from '../domain/branch.ts'
import type { Task } from '../domain/work-ledger.ts'
import { BranchTimers, type BranchTimerHooks } from './branch-timers.ts'
import { ClientTransaction, type ClientHooks, type ClientRequest } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { LateResponses, type Asked } from './late-responses.ts'
import type { Waiter } from './waiters.ts'

/** Whose branch it is. */
export interface AttemptHost {
  heard(attempt: Attempt, client: ClientTransaction, response: SipResponse): void
  failed(branch: Branch, cause: BranchFailure): void
  silent(branch: Branch): void
}

/**
 * One branch of a forwarded request while it is tried: its client transaction, its timers, and the work that it is at its proxy.
 */
export class Attempt implements ClientHooks, BranchTimerHooks, Waiter {
  readonly branch: Branch
  client: ClientTransaction | undefined
  task: Task | undefined
  place = -1
  readonly #host: AttemptHost
  readonly #ctx: IngressContext
  #timers: BranchTimers | undefined

  constructor(branch: Branch, host: AttemptHost, ctx: IngressContext) {
    this.branch = branch
    this.#host = host
    this.#ctx = ctx
  }

  get timers(): BranchTimers {
    this.#timers ??= new BranchTimers(this.#ctx.wheel, this)
    return this.#timers
  }

  stopTimers(): void {
    this.#timers?.stop()
    this.#timers = undefined
  }

  /** Sends the request. */
  begin(request: ClientRequest): void {
    const client = new ClientTransaction(request, this.#ctx.wheel, this)
    this.client = client
    this.#ctx.clients.add(client)
    client.link.pending.add(this)
  }

  /** The request is answered, and no branch is open any more. */
  handOver(asked: Asked): void {
    if (this.client === undefined) return
    this.client.handOver(new LateResponses(this.#ctx, this.client.link, asked))
    this.client.link.pending.delete(this)
  }

  get isAnswered(): boolean {
    return this.client?.isAnswered === true
  }

  response(client: ClientTransaction, response: SipResponse): void {
    this.#host.heard(this, client, response)
  }

  timeout(): void {
    this.#host.failed(this.branch, 'timeout')
  }

  ended(client: ClientTransaction): void {
    this.#ctx.clients.remove(client)
    client.link.pending.delete(this)
    this.client = undefined
  }

  linkLost(): void {
    this.client?.abandon()
    this.#ctx.attempt(() => this.#host.failed(this.branch, 'gone'))
  }

  silent(): void {
    this.#host.silent(this.branch)
  }

  rangOut(): void {
    this.#host.failed(this.branch, 'rang-out')
  }
}
