import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOpen } from '../../src/domain/branch.ts'
import type { ContextOptions, Purpose } from '../../src/domain/response-context.ts'
import { ContextStory } from './context-story.ts'

/** Each row: what happens, and everything that it makes the context ask for. */
function expectStory(options: Partial<ContextOptions>, rows: readonly (readonly [string, string])[]): void {
  const story = new ContextStory(options)
  for (const [event, effects] of rows) expect(story.tell(event), event).toBe(effects)
}

const start2 = ['start px1 px2', 'try px1, watch-ringing px1, watch-silence px1'] as const
const silence = ['px1 silence', 'try px2, watch-ringing px2'] as const

describe('an INVITE that is answered', () => {
  it('relays what rings and answers, and keeps each 100 to itself', () => {
    expectStory({}, [
      start2,
      ['px1 100', ''],
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['px1 183', 'watch-ringing px1, relay 183'],
      ['px1 200', 'px1 was success, relay 200, done'],
    ])
  })

  it('relays a refusal of the callee without trying anybody else', () => {
    expectStory({}, [start2, ['px1 486', 'px1 was refusal, relay 486, done']])
  })

  it('passes on each further 2xx, for another fork may have answered too', () => {
    expectStory({}, [start2, ['px1 200', 'px1 was success, relay 200, done'], ['px1 200', 'relay 200, done']])
  })

  it('relays no provisional response after the final one', () => {
    expectStory({}, [start2, ['px1 200', 'px1 was success, relay 200, done'], ['px1 180', '']])
  })

  it('is answered by us where there is nobody to try', () => {
    expectStory({}, [['start', 'answer 503 later, done']])
  })

  it('is answered by us where no pool takes it, and only once', () => {
    expectStory({}, [
      ['answer 404', 'answer 404, done'],
      ['answer 503', ''],
      ['start px1', ''],
    ])
  })
})

describe('another request than INVITE', () => {
  it('is watched for silence, not for ringing', () => {
    expectStory({ isInvite: false }, [['start px1 px2', 'try px1, watch-silence px1']])
  })

  it('gets the first 2xx only, and nobody is cancelled', () => {
    expectStory({ isInvite: false }, [
      ['start px1 px2', 'try px1, watch-silence px1'],
      ['px1 silence', 'try px2'],
      ['px2 200', 'px2 was success, relay 200'],
      ['px1 200', 'px1 was success, done'],
    ])
  })
})

describe('failover', () => {
  it('goes to the next proxy on 503', () => {
    expectStory({}, [
      start2,
      ['px1 503', 'px1 was unavailable, try px2, watch-ringing px2'],
      ['px2 200', 'px2 was success, relay 200, done'],
    ])
  })

  it('goes to the next proxy when nobody listens there, and that costs no retry', () => {
    expectStory({ takeRetry: () => false }, [
      start2,
      ['px1 gone', 'px1 was transportError, try px2, watch-ringing px2'],
    ])
  })

  it('goes on when a proxy is gone though it rang: nothing can come from there any more', () => {
    expectStory({}, [
      start2,
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['px1 gone', 'px1 was transportError, try px2, watch-ringing px2'],
    ])
  })

  it('goes on from a silent one though another rang before it was gone', () => {
    expectStory({}, [
      ['start px1 px2 px3', 'try px1, watch-ringing px1, watch-silence px1'],
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['px1 gone', 'px1 was transportError, try px2, watch-ringing px2, watch-silence px2'],
      ['px2 silence', 'try px3, watch-ringing px3'],
    ])
  })

  it('does not go on by 503 or time-out once it rang', () => {
    const ringing = [start2, ['px1 180', 'watch-ringing px1, relay 180']] as const
    expectStory({}, [...ringing, ['px1 503', 'px1 was unavailable, answer 500, done']])
    expectStory({}, [...ringing, ['px1 timeout', 'px1 was timeout, answer 408, done']])
  })

  it('goes on when the whole transaction timed out without a word', () => {
    expectStory({}, [start2, ['px1 timeout', 'px1 was timeout, try px2, watch-ringing px2']])
  })

  it.each([500, 504, 404, 408, 482])('does not go on by %i', (status) => {
    const story = new ContextStory()
    story.tell('start px1 px2')
    expect(story.tell(`px1 ${status}`)).toContain(`relay ${status}, done`)
  })

  it('starts nothing beyond the retry budget', () => {
    expectStory({ takeRetry: () => false }, [
      start2,
      ['px1 silence', ''],
      ['px1 503', 'px1 was unavailable, answer 500, done'],
    ])
  })

  it('inside a dialog goes to another proxy only when its own is gone', () => {
    const start = ['start px1 px2', 'try px1, watch-ringing px1'] as const
    const dialog = { purpose: 'dialog' } as const
    expectStory(dialog, [start, ['px1 silence', ''], ['px1 503', 'px1 was unavailable, answer 500, done']])
    expectStory(dialog, [start, ['px1 timeout', 'px1 was timeout, answer 408, done']])
    expectStory(dialog, [start, ['px1 gone', 'px1 was transportError, try px2, watch-ringing px2']])
  })

  it('does not send the caller away for a time when only the proxy of a dialog, or his own peer, is gone', () => {
    for (const purpose of ['dialog', 'outbound'] as const) {
      const start = ['start px1', 'try px1, watch-ringing px1'] as const
      expectStory({ purpose }, [start, ['px1 503', 'px1 was unavailable, answer 500, done']])
      expectStory({ purpose }, [start, ['px1 gone', 'px1 was transportError, answer 503, done']])
    }
  })

  it('goes along the targets that the operator named', () => {
    expectStory({ purpose: 'outbound' }, [
      start2,
      ['px1 503', 'px1 was unavailable, try px2, watch-ringing px2'],
      ['px2 503', 'px2 was unavailable, answer 500, done'],
    ])
  })

  it('says 503 with a time when nobody is left, whether they refuse or say 503', () => {
    expectStory({}, [
      start2,
      ['px1 gone', 'px1 was transportError, try px2, watch-ringing px2'],
      ['px2 503', 'px2 was unavailable, answer 503 later, done'],
    ])
    expectStory({}, [
      start2,
      ['px1 503', 'px1 was unavailable, try px2, watch-ringing px2'],
      ['px2 gone', 'px2 was transportError, answer 503 later, done'],
    ])
  })

  it('says 408 when nobody answered at all', () => {
    expectStory({}, [
      ['start px1', 'try px1, watch-ringing px1'],
      ['px1 timeout', 'px1 was timeout, answer 408, done'],
    ])
  })
})

describe('a silent proxy', () => {
  it('is superseded, and cancelled as soon as it speaks after another one has', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 180', 'watch-ringing px2, relay 180'],
      ['px1 100', 'cancel px1'],
      ['px1 487', 'px1 was cancelled'],
      ['px2 200', 'px2 was success, relay 200, done'],
    ])
  })

  it('takes the lead back when it speaks first, and the other one is cancelled', () => {
    expectStory({}, [
      start2,
      silence,
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['px2 100', 'cancel px2'],
      ['px2 487', 'px2 was cancelled'],
      ['px1 200', 'px1 was success, relay 200, done'],
    ])
  })

  it('counts with its late 2xx, and the one that replaced it is cancelled', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 100', ''],
      ['px1 200', 'px1 was success, relay 200, cancel px2'],
      ['px2 487', 'px2 was cancelled, done'],
    ])
  })

  it('counts with a 2xx that comes after the refusal of the other one', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 486', 'px2 was refusal, relay 486'],
      ['px1 200', 'px1 was success, relay 200, done'],
    ])
  })

  it('is cancelled when it wakes up after the answer', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 200', 'px2 was success, relay 200'],
      ['px1 180', 'cancel px1'],
      ['px1 487', 'px1 was cancelled, done'],
    ])
  })

  it('is not silent any more after a 100', () => {
    expectStory({}, [start2, ['px1 100', ''], ['px1 silence', '']])
  })

  it('is not waited for when the one that replaced it has failed', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 gone', 'px2 was transportError, answer 503 later'],
      ['px1 timeout', 'px1 was timeout, done'],
    ])
  })
})

it('a proxy that is silent gets no second one beside it where the request may not fork', () => {
  const story = new ContextStory({ mayFork: false })
  story.tell('start px1 px2')
  expect(story.tell('px1 silence')).toBe('')
  expect(story.tell('px1 503')).toBe('px1 was unavailable, try px2, watch-ringing px2')
})

describe('a 6xx', () => {
  it('ends the search: the others are cancelled, and nobody else is tried', () => {
    expectStory({}, [
      ['start px1 px2 px3', 'try px1, watch-ringing px1, watch-silence px1'],
      ['px1 silence', 'try px2, watch-ringing px2, watch-silence px2'],
      ['px2 100', ''],
      ['px1 603', 'px1 was refusal, cancel px2'],
      ['px2 503', 'px2 was unavailable, relay 603, done'],
    ])
  })

  it('starts no further branch by silence', () => {
    expectStory({}, [
      ['start px1 px2 px3', 'try px1, watch-ringing px1, watch-silence px1'],
      ['px1 silence', 'try px2, watch-ringing px2, watch-silence px2'],
      ['px1 603', 'px1 was refusal'],
      ['px2 silence', ''],
      ['px2 gone', 'px2 was transportError, relay 603, done'],
    ])
  })
})

describe('a CANCEL', () => {
  it('before the route answer ends the request with 487, and then nobody is tried', () => {
    expectStory({}, [
      ['cancel', 'answer 487, done'],
      ['start px1 px2', ''],
    ])
  })

  it('before a provisional response waits for one', () => {
    expectStory({}, [
      start2,
      ['cancel', ''],
      ['px1 100', 'cancel px1'],
      ['px1 487', 'px1 was cancelled, relay 487, done'],
    ])
  })

  it('after a provisional response goes on at once, and only once', () => {
    expectStory({}, [
      start2,
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['cancel', 'cancel px1'],
      ['cancel', ''],
      ['px1 183', 'watch-ringing px1, relay 183'],
      ['px1 487', 'px1 was cancelled, relay 487, done'],
    ])
  })

  it('goes to every branch', () => {
    expectStory({}, [
      start2,
      silence,
      ['px2 100', ''],
      ['cancel', 'cancel px2'],
      ['px1 100', 'cancel px1'],
      ['px1 487', 'px1 was cancelled'],
      ['px2 487', 'px2 was cancelled, relay 487, done'],
    ])
  })

  it('stops the failover: no branch is started after it', () => {
    expectStory({}, [start2, ['cancel', ''], ['px1 silence', ''], ['px1 503', 'px1 was unavailable, answer 500, done']])
    expectStory({}, [start2, ['cancel', ''], ['px1 gone', 'px1 was transportError, answer 487, done']])
  })

  it('that comes too late for the callee does not hide his 2xx', () => {
    expectStory({}, [
      start2,
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['cancel', 'cancel px1'],
      ['px1 200', 'px1 was success, relay 200, done'],
    ])
  })

  it('is answered by us when nothing comes of it', () => {
    expectStory({}, [
      start2,
      ['px1 180', 'watch-ringing px1, relay 180'],
      ['cancel', 'cancel px1'],
      ['px1 timeout', 'px1 was timeout, answer 487, done'],
    ])
  })

  it('changes nothing after the answer', () => {
    expectStory({}, [start2, ['px1 200', 'px1 was success, relay 200, done'], ['cancel', '']])
  })
})

it('a branch that rings for too long is cancelled, and the caller is told 408', () => {
  expectStory({}, [
    start2,
    ['px1 180', 'watch-ringing px1, relay 180'],
    ['px1 rang-out', 'cancel px1, px1 was cancelled, answer 408, done'],
    ['px1 487', ''],
  ])
})

describe('in any order of events', () => {
  const proxies = ['px0', 'px1', 'px2', 'px3']
  const statuses = [100, 180, 183, 200, 202, 302, 401, 404, 486, 487, 500, 503, 504, 600, 603]
  const event = fc.oneof(
    { weight: 1, arbitrary: fc.constant('cancel' as const) },
    {
      weight: 8,
      arbitrary: fc.tuple(
        fc.constantFrom(...proxies),
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...statuses.map(String)) },
          { weight: 2, arbitrary: fc.constant('silence') },
          { weight: 1, arbitrary: fc.constantFrom('gone', 'timeout', 'rang-out') },
        ),
      ),
    },
  )

  interface History {
    readonly isInvite: boolean
    readonly purpose: Purpose
    readonly retries: number
    readonly candidates: number
    readonly isCancelledFirst: boolean
    readonly events: readonly ('cancel' | [string, string])[]
  }

  const history: fc.Arbitrary<History> = fc.record({
    isInvite: fc.boolean(),
    purpose: fc.constantFrom<Purpose>('choice', 'dialog', 'outbound'),
    retries: fc.nat(3),
    candidates: fc.nat(4),
    isCancelledFirst: fc.boolean(),
    events: fc.array(event, { maxLength: 20 }),
  })

  const isPossible = (isInvite: boolean, text: string) => isInvite || (text !== 'cancel' && !text.endsWith('rang-out'))

  interface Told {
    readonly event: string
    readonly effects: readonly string[]
  }

  function play(h: History): { story: ContextStory; told: Told[] } {
    let retries = h.retries
    const story = new ContextStory({ ...h, takeRetry: () => retries-- > 0 })
    const told: Told[] = []
    const tell = (text: string) => {
      told.push({ event: text, effects: story.tell(text).split(', ').filter(Boolean) })
      const leading = story.context.branches.filter((branch) => isOpen(branch) && !branch.isSuperseded)
      expect(leading.length, 'R1: branches in the lead').toBeLessThan(2)
    }
    if (h.isInvite && h.isCancelledFirst) tell('cancel')
    tell(`start ${proxies.slice(0, h.candidates).join(' ')}`)
    for (const one of h.events) {
      const text = typeof one === 'string' ? one : one.join(' ')
      const wasTried = one === 'cancel' || story.context.branches.length > proxies.indexOf(one[0])
      if (wasTried && isPossible(h.isInvite, text)) tell(text)
    }
    // In the end every transaction comes to its end.
    for (const [i, name] of proxies.entries()) if (i < story.context.branches.length) tell(`${name} timeout`)
    return { story, told }
  }

  const runs = { numRuns: 3000 }

  it('exactly one final response goes to the caller, but for further 2xx of an INVITE', () => {
    fc.assert(
      fc.property(history, (h) => {
        const finals = play(h).told.flatMap(({ effects }) =>
          effects.filter((text) => /^(answer|relay [2-6])/.test(text)),
        )
        const [, ...further] = finals
        expect(finals.length).toBeGreaterThan(0)
        expect(further.filter((text) => !h.isInvite || !text.startsWith('relay 2'))).toEqual([])
      }),
      runs,
    )
  })

  it('no branch is started after a CANCEL, a 6xx or a final response', () => {
    fc.assert(
      fc.property(history, (h) => {
        let isOver = false
        const { told } = play(h)
        for (const { event: text, effects } of told) {
          isOver ||= text === 'cancel' || (/ 6\d\d$/.test(text) && effects.some((effect) => effect.includes(' was ')))
          if (isOver) expect(effects.filter((effect) => effect.startsWith('try'))).toEqual([])
          isOver ||= effects.some((effect) => /^(answer|relay [2-6])/.test(effect))
        }
      }),
      runs,
    )
  })

  it('each branch has exactly one outcome, and ends', () => {
    fc.assert(
      fc.property(history, (h) => {
        const { story, told } = play(h)
        const outcomes = told.flatMap(({ effects }) => effects.filter((effect) => effect.includes(' was ')))
        const ended = outcomes.map((text) => text.split(' ')[0] ?? '')
        expect(ended.toSorted()).toEqual(proxies.slice(0, story.context.branches.length))
        expect(story.context.branches.filter(isOpen)).toEqual([])
      }),
      runs,
    )
  })

  it('a CANCEL goes to a branch of an INVITE at most once, and never before it has spoken', () => {
    fc.assert(
      fc.property(history, (h) => {
        const spoken = new Set<string>()
        const cancelled: string[] = []
        for (const { event: text, effects } of play(h).told) {
          const [name = '', what = ''] = text.split(' ')
          if (/^1\d\d$/.test(what) || what === 'rang-out') spoken.add(name)
          for (const effect of effects) {
            if (!effect.startsWith('cancel ')) continue
            const whom = effect.slice(7)
            expect(h.isInvite && spoken.has(whom), `${text}: ${effect}`).toBe(true)
            cancelled.push(whom)
          }
        }
        expect(cancelled.length).toBe(new Set(cancelled).size)
      }),
      runs,
    )
  })

  it('neither a 100 nor anything provisional behind a final response goes to the caller', () => {
    fc.assert(
      fc.property(history, (h) => {
        let isFinal = false
        for (const { effects } of play(h).told) {
          for (const effect of effects) {
            if (effect.startsWith('relay 1')) expect(isFinal || effect === 'relay 100', effect).toBe(false)
            isFinal ||= /^(answer|relay [2-6])/.test(effect)
          }
        }
      }),
      runs,
    )
  })
})
