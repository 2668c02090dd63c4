import { describe, expect, it } from 'vitest'
import { bestResponse } from '../../src/domain/best-response.ts'
import type { Branch, BranchFailure } from '../../src/domain/branch.ts'
import { response } from '../messages.ts'

function branch(final: number | BranchFailure | undefined): Branch {
  return {
    index: 0,
    target: { kind: 'address', uri: 'sip:x' },
    state: final === undefined ? 'silent' : 'ended',
    cancel: 'no',
    isSuperseded: false,
    final: typeof final === 'number' ? response(final) : final,
  }
}

const best = (...finals: (number | BranchFailure | undefined)[]) => bestResponse(finals.map(branch))?.status

describe('the best response', () => {
  it.each([
    { finals: [404], is: 404, because: 'it is the only one' },
    { finals: [404, 603], is: 603, because: 'a 6xx speaks for every place' },
    { finals: [500, 404], is: 404, because: 'the lowest class wins' },
    { finals: [404, 302], is: 302, because: 'the lowest class wins' },
    { finals: [404, 401], is: 401, because: 'the caller can act on a challenge' },
    { finals: [486, 407], is: 407, because: 'the caller can act on a challenge' },
    { finals: [404, 415], is: 415, because: 'the caller can act on it' },
    { finals: [404, 420], is: 420, because: 'the caller can act on it' },
    { finals: [404, 484], is: 484, because: 'the caller can act on it' },
    { finals: [486, 404], is: 486, because: 'the first of equals wins' },
    { finals: [503, 500], is: 500, because: 'a 503 speaks of one proxy only' },
    { finals: [503, 604], is: 604, because: 'a 6xx wins over all' },
    { finals: [482, 486], is: 486, because: 'a loop speaks of one path only' },
    { finals: [482, 503], is: 482, because: 'a 503 comes last' },
    { finals: ['timeout', 486, 'gone'] as const, is: 486, because: 'failures are no responses' },
  ])('of $finals is $is: $because', ({ finals, is }) => {
    expect(best(...finals)).toBe(is)
  })

  it('is none where no branch got any', () => {
    expect(best('timeout', 'gone', undefined)).toBeUndefined()
    expect(best()).toBeUndefined()
  })
})
