import type { Outcome } from '@siplb/contracts'
import type { SipResponse } from '@siplb/sip'
import { bestResponse } from './best-response.ts'
import { withAllChallenges } from './merged-challenges.ts'
import { isOpen, type Branch, type BranchFailure, type Target } from './branch.ts'
import { outcomeOf } from './outcome.ts'

/** Everything that the forwarding of one request can ask for. */
export type ForwardEffect =
  | { readonly kind: 'try'; readonly branch: Branch }
  | { readonly kind: 'cancel'; readonly branch: Branch }
  | { readonly kind: 'watch-silence'; readonly branch: Branch }
  | { readonly kind: 'watch-ringing'; readonly branch: Branch }
  | { readonly kind: 'relay'; readonly response: SipResponse; readonly branch: Branch }
  /** A final response of our own. `retryLater`: with a Retry-After. */
  | { readonly kind: 'answer'; readonly status: number; readonly retryLater: boolean }
  | { readonly kind: 'outcome'; readonly branch: Branch; readonly outcome: Outcome }
  | { readonly kind: 'done' }

export type Purpose =
  /** A new request, with all that its pool has to offer. */
  | 'choice'
  /** Belongs to its first target, and moves to another one only when that is gone. */
  | 'dialog'
  /** To targets that the operator, or a route set, names. */
  | 'outbound'

export interface ContextOptions {
  readonly isInvite: boolean
  readonly purpose: Purpose
  /** Whether it may be at two proxies at once, as it is when one is silent and another gets its chance. */
  readonly mayFork: boolean
  /** Asked before each further attempt that costs something. */
  readonly takeRetry: () => boolean
}

/**
 * Response context of one forwarded request (RFC 3261, 16.7), with serial failover.
 *
 * R1. At most one branch is in the lead; a branch that was silent for too long is superseded, not forgotten: its 2xx still counts.
 * R2. Exactly one final response goes to the caller, but for further 2xx of an INVITE.
 * R3. After a CANCEL, or a 6xx, or a 2xx, no branch is started.
 * R4. Each branch has exactly one outcome.
 */
export class ResponseContext {
  readonly #options: ContextOptions
  branches: readonly Branch[] = []
  #untried: Target[] = []
  #isCancelled = false
  #isAnswered = false
  #isRinging = false
  #isDeclined = false

  constructor(options: ContextOptions) {
    this.#options = options
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** When all is done: a late 2xx still finds its way, and nothing else is kept. */
  forget(): void {
    this.#untried = []
    for (const branch of this.branches) branch.final = undefined
  }

  /** The route answer: targets in the order in which they are to be tried. */
  start(targets: readonly Target[]): ForwardEffect[] {
    this.#untried = [...targets]
    if (this.#isCancelled || this.#isAnswered) return []
    const first = this.#untried.shift()
    return first === undefined ? this.answer(503, true) : this.#try(first)
  }

  /** We answer the request ourselves, before or in place of any branch. */
  answer(status: number, retryLater = false): ForwardEffect[] {
    if (this.#isAnswered) return []
    this.#isAnswered = true
    return [{ kind: 'answer', status, retryLater }, ...this.#doneIfOver()]
  }

  response(branch: Branch, response: SipResponse): ForwardEffect[] {
    if (response.status < 200) return this.#provisional(branch, response)
    if (response.status < 300) return this.#success(branch, response)
    return isOpen(branch) ? this.#refusal(branch, response) : []
  }

  failure(branch: Branch, cause: BranchFailure): ForwardEffect[] {
    if (!isOpen(branch)) return []
    // 16.8: a branch that rang out is cancelled; its transaction lives on for the 487.
    const effects = cause === 'rang-out' ? this.#cancel(branch) : []
    effects.push(...this.#end(branch, cause, failureOutcomes[cause]))
    const isFree = cause === 'gone'
    const mayMove = !branch.isSuperseded && (isFree || (cause === 'timeout' && this.#mayLeave()))
    return [...effects, ...this.#next(mayMove, isFree)]
  }

  /** No response at all for so long that another proxy is to have its chance. */
  silence(branch: Branch): ForwardEffect[] {
    const isLost = branch.state === 'silent' && !branch.isSuperseded && this.#options.purpose !== 'dialog'
    if (
      !isLost ||
      !this.#options.mayFork ||
      !this.#mayStartBranch() ||
      this.#untried.length === 0 ||
      !this.#options.takeRetry()
    )
      return []
    branch.isSuperseded = true
    const next = this.#untried.shift()
    return next === undefined ? [] : this.#try(next)
  }

  /** The caller gave up (16.10). */
  cancel(): ForwardEffect[] {
    if (this.#isCancelled || this.#isAnswered) return []
    this.#isCancelled = true
    const effects = this.branches.filter(isOpen).flatMap((branch) => this.#cancel(branch))
    return this.branches.some(isOpen) ? effects : [...effects, ...this.answer(487)]
  }

  #mayStartBranch(): boolean {
    return !this.#isCancelled && !this.#isDeclined && !this.#isAnswered
  }

  /** Whether a proxy that is still there may be left for another one. */
  #mayLeave(): boolean {
    return this.#options.purpose !== 'dialog' && !this.#isRinging
  }

  #try(target: Target): ForwardEffect[] {
    const branch: Branch = {
      index: this.branches.length,
      target,
      state: 'silent',
      cancel: 'no',
      isSuperseded: false,
      final: undefined,
    }
    this.branches = [...this.branches, branch]
    const effects: ForwardEffect[] = [{ kind: 'try', branch }]
    if (this.#options.isInvite) effects.push({ kind: 'watch-ringing', branch })
    if (this.#untried.length > 0 && this.#options.purpose !== 'dialog') effects.push({ kind: 'watch-silence', branch })
    return effects
  }

  #provisional(branch: Branch, response: SipResponse): ForwardEffect[] {
    if (!isOpen(branch)) return []
    if (response.status > 100) branch.state = 'ringing'
    else if (branch.state === 'silent') branch.state = 'trying'
    if (branch.isSuperseded) this.#takeLeadBack(branch)
    if (branch.cancel === 'wanted' || branch.isSuperseded || this.#isAnswered) return this.#cancel(branch)
    // 16.7 step 5: a 100 stays here. Timer C starts anew with each of the others (16.7 step 2).
    if (response.status === 100) return []
    this.#isRinging = true
    return [
      { kind: 'watch-ringing', branch },
      { kind: 'relay', response, branch },
    ]
  }

  /** The first to speak leads: a superseded branch does again, when those that replaced it are silent too. */
  #takeLeadBack(branch: Branch): void {
    const others = this.branches.filter((other) => other !== branch && isOpen(other))
    if (others.some((other) => other.state !== 'silent')) return
    branch.isSuperseded = false
    for (const other of others) other.isSuperseded = true
  }

  #success(branch: Branch, response: SipResponse): ForwardEffect[] {
    const effects = isOpen(branch) ? this.#end(branch, response, 'success') : []
    const isFirst = !this.#isAnswered
    this.#isAnswered = true
    // 16.7 step 5: every 2xx of an INVITE goes to the caller, who has to acknowledge each; of others only the first.
    if (isFirst || this.#options.isInvite) effects.push({ kind: 'relay', response, branch })
    for (const other of this.branches) if (isOpen(other)) effects.push(...this.#cancel(other))
    return [...effects, ...this.#doneIfOver()]
  }

  #refusal(branch: Branch, response: SipResponse): ForwardEffect[] {
    const effects = this.#end(branch, response, outcomeOf(response.status, branch.cancel !== 'no' || this.#isCancelled))
    if (response.status >= 600) {
      this.#isDeclined = true
      for (const other of this.branches) if (isOpen(other)) effects.push(...this.#cancel(other))
      return [...effects, ...this.#next(false, false)]
    }
    return [...effects, ...this.#next(response.status === 503 && this.#mayLeave() && !branch.isSuperseded, false)]
  }

  #cancel(branch: Branch): ForwardEffect[] {
    if (!this.#options.isInvite || branch.cancel === 'sent') return []
    if (branch.state === 'silent') {
      branch.cancel = 'wanted'
      return []
    }
    branch.cancel = 'sent'
    return [{ kind: 'cancel', branch }]
  }

  #end(branch: Branch, final: SipResponse | BranchFailure, outcome: Outcome): ForwardEffect[] {
    branch.state = 'ended'
    branch.final = final
    return [{ kind: 'outcome', branch, outcome }]
  }

  /** A branch ended: try another, or, when none is open any more, answer with the best there is. */
  #next(mayMove: boolean, isFree: boolean): ForwardEffect[] {
    if (mayMove && this.#mayStartBranch() && this.#untried.length > 0 && (isFree || this.#options.takeRetry())) {
      const target = this.#untried.shift()
      if (target !== undefined) return this.#try(target)
    }
    if (this.#isAnswered) return this.#doneIfOver()
    if (this.branches.some(isWaitedFor)) return []
    // Who was silent and replaced is not waited for any longer; should it wake up, it is cancelled.
    const leftovers = this.branches.filter(isOpen).flatMap((branch) => this.#cancel(branch))
    return [...leftovers, ...this.#finish()]
  }

  #finish(): ForwardEffect[] {
    const best = bestResponse(this.branches)
    if (best === undefined) return this.#answerWithoutResponse()
    if (best.status === 503) return this.#answerUnavailable()
    const branch = this.branches.find(({ final }) => final === best)
    if (branch === undefined) return []
    this.#isAnswered = true
    return [{ kind: 'relay', response: withAllChallenges(best, this.branches), branch }, ...this.#doneIfOver()]
  }

  #answerWithoutResponse(): ForwardEffect[] {
    if (this.#isCancelled) return this.answer(487)
    // Without any final: silent, and replaced.
    const isNobodyThere = this.branches.every(({ final }) => final === 'gone' || final === undefined)
    if (!isNobodyThere) return this.answer(408)
    return this.#options.purpose === 'choice' ? this.#answerUnavailable() : this.answer(503)
  }

  /**
   * 16.7 step 6: a 503 of one proxy must not make the caller avoid all of us, so it goes on as 500; unless no proxy that can be
   * asked is left, for then it is the truth.
   */
  #answerUnavailable(): ForwardEffect[] {
    const isTrue = this.#options.purpose === 'choice' && this.#untried.length === 0
    return isTrue ? this.answer(503, true) : this.answer(500)
  }

  #doneIfOver(): ForwardEffect[] {
    return this.#isAnswered && !this.branches.some(isOpen) ? [{ kind: 'done' }] : []
  }
}

/** That nobody picks up is no fault of the proxy. */
const failureOutcomes = { gone: 'transportError', timeout: 'timeout', 'rang-out': 'cancelled' } as const

function isWaitedFor(branch: Branch): boolean {
  return isOpen(branch) && !(branch.isSuperseded && branch.state === 'silent')
}
