import type { SipResponse } from '@siplb/sip'
import type { Branch, BranchFailure, Target } from '../../src/domain/branch.ts'
import { ResponseContext, type ContextOptions, type ForwardEffect } from '../../src/domain/response-context.ts'
import { response } from '../messages.ts'

/**
 * A response context whose events and effects are short texts, so that a test reads as a table: `start px1 px2`, `px1 503`,
 * `px1 silence`, `cancel` on one side, `try px2`, `relay 180`, `answer 503 later` on the other.
 */
export class ContextStory {
  readonly context: ResponseContext

  constructor(options: Partial<ContextOptions> = {}) {
    this.context = new ResponseContext({
      isInvite: true,
      purpose: 'choice',
      mayFork: true,
      takeRetry: () => true,
      ...options,
    })
  }

  /** The effects of one event, in their order. */
  tell(event: string): string {
    return this.#happen(event).map(textOf).join(', ')
  }

  #happen(event: string): ForwardEffect[] {
    const [who = '', what = '', ...more] = event.split(' ')
    switch (who) {
      case 'start':
        return this.context.start([what, ...more].filter(Boolean).map(targetOf))
      case 'answer':
        return this.context.answer(Number(what))
      case 'cancel':
        return this.context.cancel()
      default:
        return this.#toBranch(this.#branchOf(who), what)
    }
  }

  #toBranch(branch: Branch, what: string): ForwardEffect[] {
    if (what === 'silence') return this.context.silence(branch)
    if (isFailure(what)) return this.context.failure(branch, what)
    return this.context.response(branch, responseOf(Number(what)))
  }

  #branchOf(proxy: string): Branch {
    const branch = this.context.branches.findLast((one) => nameOf(one) === proxy)
    if (branch === undefined) throw new Error(`${proxy} was not tried`)
    return branch
  }
}

function targetOf(proxy: string): Target {
  return { kind: 'proxy', pool: 'default', proxy, uri: `sip:${proxy}.example.com` }
}

const failures: ReadonlySet<string> = new Set(['gone', 'timeout', 'rang-out'])

function isFailure(text: string): text is BranchFailure {
  return failures.has(text)
}

const responses = new Map<number, SipResponse>()

function responseOf(status: number): SipResponse {
  let found = responses.get(status)
  if (found === undefined) {
    found = response(status)
    responses.set(status, found)
  }
  return found
}

function nameOf({ target }: Branch): string {
  return target.kind === 'proxy' ? target.proxy : target.uri
}

function textOf(effect: ForwardEffect): string {
  switch (effect.kind) {
    case 'relay':
      return `relay ${effect.response.status}`
    case 'answer':
      return `answer ${effect.status}${effect.retryLater ? ' later' : ''}`
    case 'outcome':
      return `${nameOf(effect.branch)} was ${effect.outcome}`
    case 'done':
      return 'done'
    default:
      return `${effect.kind} ${nameOf(effect.branch)}`
  }
}
