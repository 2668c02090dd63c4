/** One forwarded request, from sending to its end. */
export interface Task {
  readonly proxy: string
  readonly cost: number
  readonly isInvite: boolean
  /** The ledger's: where it stands; undefined before it began. */
  standing?: 'unanswered' | 'answered' | 'ended' | undefined
  /** Of a new request, until it ends. */
  fresh?: Fresh | undefined
}

/** A new request that has no final response yet. */
interface Fresh {
  readonly ahead: Ahead
  isAccepted: boolean
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
  inFlight: number
  unanswered: number
  work: number
  invites: number
  /** Answered too fast to be true, and work for a while still. */
  readonly held: Held[]
  heldWork: number
}

interface Held {
  readonly until: number
  readonly cost: number
}

/**
 * What this ingress itself has outstanding at each proxy of a pool. A request is work from sending until the first response
 * (100 counts); from there to its final response it is in flight, not work: else ringing time would look like load.
 *
 * Each task says where it stands: one that ends twice, or never began, changes nothing (the drifting counter is the classic fault).
 */
export class WorkLedger {
  readonly #accounts = new Map<string, Account>()
  /** Those that hold something: each decision asks for them, and most proxies of a large pool hold nothing. */
  readonly #holding = new Set<Account>()

  begin(task: Task): void {
    const account = this.#account(task.proxy)
    task.standing = 'unanswered'
    account.inFlight += 1
    account.unanswered += 1
    account.work += task.cost
    if (task.isInvite) account.invites += 1
  }

  aheadAt(proxy: string): Ahead {
    const { unanswered, invites } = this.#account(proxy)
    return { invites, others: unanswered - invites }
  }

  answered(task: Task): void {
    if (task.standing !== 'unanswered') return
    const account = this.#account(task.proxy)
    task.standing = 'answered'
    account.unanswered -= 1
    if (task.isInvite) account.invites -= 1
    // Cents that floating point leaves behind must not add up.
    account.work = account.unanswered === 0 ? 0 : account.work - task.cost
  }

  /** Counts it as work until then though it is answered: who refuses at once is never busy, and would win every pick. */
  hold({ proxy, cost }: Task, until: number): void {
    const account = this.#account(proxy)
    account.held.push({ until, cost })
    account.heldWork += cost
    this.#holding.add(account)
  }

  /** Gives up what was held until now. */
  release(now: number): void {
    for (const account of this.#holding) {
      const { held } = account
      for (let [first] = held; first !== undefined && first.until <= now; [first] = held) {
        held.shift()
        account.heldWork = held.length === 0 ? 0 : account.heldWork - first.cost
      }
      if (held.length === 0) this.#holding.delete(account)
    }
  }

  end(task: Task): void {
    this.answered(task)
    if (task.standing !== 'answered') return
    task.standing = 'ended'
    this.#account(task.proxy).inFlight -= 1
  }

  workOf(proxy: string): number {
    const account = this.#accounts.get(proxy)
    return account === undefined ? 0 : account.work + account.heldWork
  }

  inFlightOf(proxy: string): number {
    return this.#accounts.get(proxy)?.inFlight ?? 0
  }

  /** Of a proxy that left the list nothing need be kept, once nothing is outstanding there. False: something is. */
  forget(proxy: string): boolean {
    const account = this.#accounts.get(proxy)
    if (account !== undefined && account.inFlight + account.held.length > 0) return false
    this.#accounts.delete(proxy)
    return true
  }

  get proxies(): IterableIterator<string> {
    return this.#accounts.keys()
  }

  #account(proxy: string): Account {
    let account = this.#accounts.get(proxy)
    if (account === undefined) {
      account = { inFlight: 0, unanswered: 0, work: 0, invites: 0, held: [], heldWork: 0 }
      this.#accounts.set(proxy, account)
    }
    return account
  }
}
