import { isRight, type Case } from './cases.ts'
import type { Outcome } from './measure.ts'

/**
 * `otherwise`: refused, but with another status than the RFC names, or without a word. The others are wrong: what should be refused
 * went on, what should go on did not, or it went on changed.
 */
export type Verdict = 'right' | 'otherwise' | 'passed' | 'lost' | 'changed'

export function verdictOn(one: Case, { deed, changes }: Outcome, transport: 'udp' | 'tcp'): Verdict {
  if (deed === 'forward' && changes.length > 0) return 'changed'
  if (isRight(one, deed, transport)) return 'right'
  if (deed === 'forward') return 'passed'
  return one.wanted === 'forward' ? 'lost' : 'otherwise'
}
