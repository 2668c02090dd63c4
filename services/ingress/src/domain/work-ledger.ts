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

/** Of one proxy: where its figures stand in each column. */
type Account = number

interface Held {
  readonly until: number
  readonly cost: number
}

/**
 * What this ingress itself has outstanding at each proxy of a pool. A request is work from sending until the first response
 * (100 counts); from there to its final response it is in flight, not work: else ringing time would look like load.
 *
 * Each task says where it stands: one that ends twice, or never began, changes nothing (the drifting counter is the classic fault).
 *
 * The figures of all proxies stand in columns: a choice among thousands reads two of one column, and that stays in the cache.
 */
export class WorkLedger {
  readonly #accounts = new Map<string, Account>()
  /** Given up, for proxies to come. */
  readonly #free: Account[] = []
  readonly #inFlight = new Column()
  readonly #unanswered = new Column()
  readonly #invites = new Column()
  /** With what is held. */
  readonly #work = new Column()
  /** Answered too fast to be true, and work for a while still. Few hold any, and each decision asks for them. */
  readonly #held = new Map<Account, Held[]>()

  begin(task: Task): void {
    const account = this.#account(task.proxy)
    task.standing = 'unanswered'
    this.#inFlight.add(account, 1)
    this.#unanswered.add(account, 1)
    this.#work.add(account, task.cost)
    if (task.isInvite) this.#invites.add(account, 1)
  }

  aheadAt(proxy: string): Ahead {
    const account = this.#account(proxy)
    const invites = this.#invites.of(account)
    return { invites, others: this.#unanswered.of(account) - invites }
  }

  answered(task: Task): void {
    if (task.standing !== 'unanswered') return
    const account = this.#account(task.proxy)
    task.standing = 'answered'
    this.#unanswered.add(account, -1)
    if (task.isInvite) this.#invites.add(account, -1)
    this.#relieve(account, task.cost)
  }

  /** Counts it as work until then though it is answered: who refuses at once is never busy, and would win every pick. */
  hold({ proxy, cost }: Task, until: number): void {
    const account = this.#account(proxy)
    const held = this.#held.get(account)
    if (held === undefined) this.#held.set(account, [{ until, cost }])
    else held.push({ until, cost })
    this.#work.add(account, cost)
  }

  /** Gives up what was held until now. */
  release(now: number): void {
    for (const [account, held] of this.#held) {
      for (let [first] = held; first !== undefined && first.until <= now; [first] = held) {
        held.shift()
        this.#relieve(account, first.cost)
      }
      if (held.length === 0) this.#held.delete(account)
    }
  }

  end(task: Task): void {
    this.answered(task)
    if (task.standing !== 'answered') return
    task.standing = 'ended'
    this.#inFlight.add(this.#account(task.proxy), -1)
  }

  workOf(proxy: string): number {
    const account = this.#accounts.get(proxy)
    return account === undefined ? 0 : this.#work.of(account)
  }

  inFlightOf(proxy: string): number {
    const account = this.#accounts.get(proxy)
    return account === undefined ? 0 : this.#inFlight.of(account)
  }

  /** Of a proxy that left the list nothing need be kept, once nothing is outstanding there. False: something is. */
  forget(proxy: string): boolean {
    const account = this.#accounts.get(proxy)
    if (account === undefined) return true
    if (this.#inFlight.of(account) > 0 || this.#held.has(account)) return false
    this.#accounts.delete(proxy)
    this.#free.push(account)
    return true
  }

  get proxies(): IterableIterator<string> {
    return this.#accounts.keys()
  }

  /** Cents that floating point leaves behind must not add up. */
  #relieve(account: Account, cost: number): void {
    const isIdle = this.#unanswered.of(account) === 0 && (this.#held.get(account)?.length ?? 0) === 0
    this.#work.add(account, isIdle ? -this.#work.of(account) : -cost)
  }

  #account(proxy: string): Account {
    let account = this.#accounts.get(proxy)
    if (account === undefined) {
      account = this.#free.pop() ?? this.#accounts.size
      this.#accounts.set(proxy, account)
    }
    return account
  }
}

/** One figure of every account; 0 at first. */
class Column {
  #values = new Float64Array(16)

  of(account: Account): number {
    return this.#values[account] ?? 0
  }

  add(account: Account, amount: number): void {
    if (account >= this.#values.length) this.#grow(account)
    this.#values[account] = this.of(account) + amount
  }

  #grow(account: Account): void {
    const values = new Float64Array(Math.max(2 * this.#values.length, account + 1))
    values.set(this.#values)
    this.#values = values
  }
}
