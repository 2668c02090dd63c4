/** One forwarded request, from sending to its end. */
export interface Task {
  readonly proxy: string
  readonly cost: number
  readonly isInvite: boolean
}

/** What is outstanding at a proxy, not answered at all, when one more request is sent there. */
export interface Ahead {
  readonly invites: number
  readonly others: number
}

/** Work of a request by its method, which is a stranger's text: what a plain object inherits is no cost. */
export function costOf(costs: Readonly<Record<string, number>> | undefined, method: string): number {
  return costs !== undefined && Object.hasOwn(costs, method) ? (costs[method] ?? 1) : 1
}

interface Account {
  readonly inFlight: Set<Task>
  readonly unanswered: Set<Task>
  work: number
  invites: number
  /** Answered too fast to be true, and work for a while still. */
  readonly held: Held[]
}

interface Held {
  readonly until: number
  readonly cost: number
}

/**
 * What this ingress itself has outstanding at each proxy of a pool. A request is work from sending until the first response
 * (100 counts); from there to its final response it is in flight, not work: else ringing time would look like load.
 *
 * Sets, not counters: a task that ends twice, or never began, changes nothing (the drifting counter is the classic fault).
 */
export class WorkLedger {
  readonly #accounts = new Map<string, Account>()

  begin(task: Task): void {
    const account = this.#account(task.proxy)
    account.inFlight.add(task)
    account.unanswered.add(task)
    account.work += task.cost
    if (task.isInvite) account.invites += 1
  }

  aheadAt(proxy: string): Ahead {
    const { unanswered, invites } = this.#account(proxy)
    return { invites, others: unanswered.size - invites }
  }

  answered(task: Task): void {
    const account = this.#account(task.proxy)
    if (!account.unanswered.delete(task)) return
    if (task.isInvite) account.invites -= 1
    // Cents that floating point leaves behind must not add up.
    account.work = account.unanswered.size === 0 ? 0 : account.work - task.cost
  }

  /** Counts it as work until then though it is answered: who refuses at once is never busy, and would win every pick. */
  hold({ proxy, cost }: Task, until: number): void {
    this.#account(proxy).held.push({ until, cost })
  }

  /** Gives up what was held until now. */
  release(now: number): void {
    for (const { held } of this.#accounts.values()) {
      while (held[0] !== undefined && held[0].until <= now) held.shift()
    }
  }

  end(task: Task): void {
    this.answered(task)
    this.#account(task.proxy).inFlight.delete(task)
  }

  workOf(proxy: string): number {
    const account = this.#accounts.get(proxy)
    if (account === undefined) return 0
    return account.held.length === 0 ? account.work : account.held.reduce((sum, { cost }) => sum + cost, account.work)
  }

  inFlightOf(proxy: string): number {
    return this.#accounts.get(proxy)?.inFlight.size ?? 0
  }

  get proxies(): IterableIterator<string> {
    return this.#accounts.keys()
  }

  #account(proxy: string): Account {
    let account = this.#accounts.get(proxy)
    if (account === undefined) {
      account = { inFlight: new Set(), unanswered: new Set(), work: 0, invites: 0, held: [] }
      this.#accounts.set(proxy, account)
    }
    return account
  }
}
