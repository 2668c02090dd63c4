import { routeQuestion, routeQuestionTo } from '@siplb/contracts'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const { reply, quickReply = reply } = routeQuestion

const good = { proxy: 'px1', uri: 'sip:192.0.2.1', weight: 1 }
const ahead = { pool: 'default', epoch: 1, seq: 2, policy: 'least-work', pick: 'first', ttlMs: 100, choices: [] }
const replyOf = (choices: unknown) => ({ location: 'l-1', answers: [], ahead: { ...ahead, choices } })
const compactReplyOf = (compact: unknown) => ({ location: 'l-1', answers: [], ahead: { ...ahead, compact } })

/** Whether it is taken, which both must agree on. What the quick one leaves in, the other leaves out. */
function isTaken(value: unknown): boolean {
  const [slow, quick] = [reply.safeParse(value), quickReply.safeParse(value)]
  expect(quick.success).toBe(slow.success)
  if (quick.success) expect(reply.parse(quick.data)).toEqual(slow.data)
  return slow.success
}

it('is what the bus holds an answer of location against, asked as one of many or by name', () => {
  expect(routeQuestion.quickReply).toBeDefined()
  expect(routeQuestionTo.quickReply).toBe(routeQuestion.quickReply)
})

it.each([
  ['none', []],
  ['one', [[good]]],
  ['fallbacks', [[good, { ...good, proxy: '2', fallback: true }, { ...good, fallback: false }]]],
  ['no weight', [[{ ...good, weight: 0 }]]],
  ['as many as there may be', Array.from({ length: 1024 }, () => Array.from({ length: 16 }, () => good))],
  ['the longest texts', [[{ ...good, proxy: 'x'.repeat(32), uri: 'x'.repeat(256) }]]],
  ['characters of two units each', [[{ ...good, uri: '\u{1f4de}'.repeat(256) }]]],
  ['what a later version may add', [[{ ...good, later: { more: 1 } }]]],
])('takes choices: %s', (_, choices) => {
  expect(isTaken(replyOf(choices))).toBe(true)
})

it.each([
  ['nothing', undefined],
  ['null', null],
  ['no list', { 0: [good], length: 1 }],
  ['a text', 'choices'],
  ['one too many', Array.from({ length: 1025 }, () => [good])],
  ['an empty one', [[good], []]],
  ['one of too many candidates', [Array.from({ length: 17 }, () => good)]],
  ['a candidate that is no list', [good]],
  ['null for a candidate', [[null]]],
  ['a list for a candidate', [[[good]]]],
  ['a text for a candidate', [['px1']]],
  ['no proxy', [[{ ...good, proxy: undefined }]]],
  ['a proxy that is no slug', [[good, { ...good, proxy: 'PX 1' }]]],
  ['a proxy with a line end', [[{ ...good, proxy: 'px1\n' }]]],
  ['a proxy that is too long', [[{ ...good, proxy: 'x'.repeat(33) }]]],
  ['a number for a proxy', [[{ ...good, proxy: 1 }]]],
  ['no URI', [[{ ...good, uri: undefined }]]],
  ['a URI that is too long', [[{ ...good, uri: 'x'.repeat(257) }]]],
  ['too many characters of two units each', [[{ ...good, uri: '\u{1f4de}'.repeat(257) }]]],
  ['no weight', [[{ ...good, weight: undefined }]]],
  ['a weight below 0', [[{ ...good, weight: -1 }]]],
  ['a weight without end', [[{ ...good, weight: Number.POSITIVE_INFINITY }]]],
  ['no number for a weight', [[{ ...good, weight: Number.NaN }]]],
  ['a text for a weight', [[{ ...good, weight: '1' }]]],
  ['null for whether it is a fallback', [[{ ...good, fallback: null }]]],
  ['a number for that', [[{ ...good, fallback: 1 }]]],
])('refuses choices: %s', (_, choices) => {
  expect(isTaken(replyOf(choices))).toBe(false)
})

it.each([
  ['none', { candidates: [], indexes: [] }],
  ['one', { candidates: [good], indexes: [[0]] }],
  ['fallbacks', { candidates: [good, { ...good, fallback: true }], indexes: [[0, 1], [0], [1, 1]] }],
  ['a candidate that is in none', { candidates: [good, good], indexes: [[0]] }],
  [
    'as many as there may be',
    {
      candidates: Array.from({ length: 1024 * 16 }, () => good),
      indexes: Array.from({ length: 1024 }, (_, i) => Array.from({ length: 16 }, (_, k) => 16 * i + k)),
    },
  ],
  ['what a later version may add', { candidates: [{ ...good, later: 1 }], indexes: [[0]], later: 1 }],
])('takes compact choices: %s', (_, compact) => {
  expect(isTaken(compactReplyOf(compact))).toBe(true)
})

it.each([
  ['null', null],
  ['a text', 'choices'],
  ['a list', [[0]]],
  ['no candidates', { indexes: [] }],
  ['no indexes', { candidates: [good] }],
  ['a candidate that is none', { candidates: [{ ...good, weight: -1 }], indexes: [] }],
  ['one candidate too many', { candidates: Array.from({ length: 1024 * 16 + 1 }, () => good), indexes: [] }],
  ['one choice too many', { candidates: [good], indexes: Array.from({ length: 1025 }, () => [0]) }],
  ['an empty choice', { candidates: [good], indexes: [[0], []] }],
  ['one of too many candidates', { candidates: [good], indexes: [Array.from({ length: 17 }, () => 0)] }],
  ['a place behind the last', { candidates: [good], indexes: [[0], [1]] }],
  ['a place before the first', { candidates: [good], indexes: [[-1]] }],
  ['half a place', { candidates: [good, good], indexes: [[0.5]] }],
  ['a text for a place', { candidates: [good], indexes: [['0']] }],
  ['a place that is no list', { candidates: [good], indexes: [0] }],
])('refuses compact choices: %s', (_, compact) => {
  expect(isTaken(compactReplyOf(compact))).toBe(false)
})

it('judges all else of an answer, too', () => {
  const whole = replyOf([[good]])
  expect(isTaken({ ...whole, location: 'No Slug' })).toBe(false)
  expect(isTaken({ ...whole, answers: [{ outcome: 'routed', id: '1' }] })).toBe(false)
  expect(isTaken({ ...whole, ahead: { ...whole.ahead, pool: '7' } })).toBe(false)
  expect(isTaken({ ...whole, ahead: { ...whole.ahead, ttlMs: 0 } })).toBe(false)
  expect(isTaken({ ...whole, ahead: undefined })).toBe(true)
})

it('agrees with the schema on anything', () => {
  const odd = fc.oneof(fc.jsonValue(), fc.anything(), fc.constant(undefined))
  const mostly = <T>(usual: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd })
  const candidate = mostly(
    fc.record(
      {
        proxy: mostly(fc.constantFrom('px1', 'px-2', 'x'.repeat(32))),
        uri: mostly(fc.string()),
        weight: mostly(fc.double({ min: 0, noNaN: true })),
        fallback: mostly(fc.boolean()),
      },
      { requiredKeys: ['proxy', 'uri', 'weight'] },
    ),
  )
  const choices = fc.array(mostly(fc.array(candidate, { minLength: 1, maxLength: 3 })), { maxLength: 4 })
  const counts = { taken: 0, refused: 0 }
  fc.assert(
    fc.property(choices, (given) => {
      counts[isTaken(replyOf(given)) ? 'taken' : 'refused'] += 1
    }),
    { numRuns: 2000 },
  )
  expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100)
})
