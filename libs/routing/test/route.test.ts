import { policies, poolsConfig, routeAnswer, type Policy, type WeightRow } from '@siplb/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pickFreshest } from '../src/choice/pick.ts'
import { createMatcher } from '../src/match.ts'
import { createChooser, draw, route } from '../src/route.ts'
import { createRouteKeys } from '../src/route-keys.ts'
import { buildSnapshot } from '../src/snapshot.ts'
import { countOf, facts, row, rows, seeded, table, weightsOf, worstDeviation, worstSigma } from './support.ts'

const ids = (candidates: readonly { readonly proxy: string }[]) => candidates.map(({ proxy }) => proxy)

function drawer(proxies: WeightRow[], policy: Policy, more: { strict?: boolean } = {}) {
  const snapshot = buildSnapshot(table(proxies, { policy, ...more }))
  const chooser = createChooser(seeded(2026))
  return (i: number) => draw(snapshot, chooser, `call-${i}@example.com`)
}

const someWeights = [
  { weights: [100, 100, 100, 100, 100, 100, 100, 100] },
  { weights: [50, 100, 200] },
  { weights: [1, 2, 3, 4, 5, 6, 7] },
  { weights: [1000, 10, 10, 0.5] },
  { weights: Array<number>(51).fill(100) },
]

describe.each(policies.map((policy) => ({ policy })))('$policy', ({ policy }) => {
  it.each(someWeights)('gives each proxy of $weights its share of 100 000 first draws', ({ weights }) => {
    const proxies = rows(...weights)
    const next = drawer(proxies, policy)
    const counts = countOf(100_000, (i) => next(i).candidates[0]?.proxy)
    expect(worstSigma(counts, weightsOf(proxies))).toBeLessThan(4.5)
  })

  it.each([[[300, 100, 200, 300]], [[1_000_000, 100, 200, 300]]])(
    'spreads the share of the first of %s, dead, over the others within 5 % of their weights',
    (weights) => {
      const proxies = rows(...weights)
      const next = drawer(proxies, policy)
      const heirs = countOf(100_000, (i) => {
        const [first, second] = next(i).candidates
        return first?.proxy === 'px0' ? second?.proxy : undefined
      })
      heirs.delete(undefined)
      expect(worstDeviation(heirs, weightsOf(proxies.slice(1)))).toBeLessThan(0.05)
    },
  )

  it('answers with at least three distinct proxies, where the pool has them', () => {
    const next = drawer(rows(10_000, 1, 1, 1, 1), policy)
    for (let i = 0; i < 500; i++) {
      const found = ids(next(i).candidates)
      expect(found.length).toBeGreaterThanOrEqual(3)
      expect(new Set(found).size).toBe(found.length)
    }
    expect(ids(drawer(rows(1, 1), policy)(0).candidates).toSorted()).toEqual(['px0', 'px1'])
    expect(ids(drawer(rows(1), policy)(0).candidates)).toEqual(['px0'])
  })

  it('has a restricted proxy behind the others, unless it was drawn first', () => {
    const proxies = [...rows(10, 10, 10, 10), row('slow', 40, { restricted: true })]
    const next = drawer(proxies, policy)
    const places = countOf(4000, (i) => ids(next(i).candidates).indexOf('slow'))
    expect(new Set(places.keys())).toEqual(new Set([-1, 0]))
    expect(places.get(0)).toBeGreaterThan(1700)
    expect(places.get(0)).toBeLessThan(2300)
    expect(ids(drawer([row('a', 1), row('slow', 1e-9, { restricted: true })], policy)(0).candidates)).toEqual([
      'a',
      'slow',
    ])
  })

  it('fails over to the next tier, which gets no first draw', () => {
    const proxies = [
      row('near', 10),
      row('far-1', 10, { tier: 2 }),
      row('far-2', 30, { tier: 2 }),
      row('last', 1, { tier: 3 }),
    ]
    const next = drawer(proxies, policy)
    const lists = countOf(4000, (i) => ids(next(i).candidates).join(' '))
    expect([...lists.keys()].toSorted()).toEqual(['near far-1 far-2', 'near far-2 far-1'])
    expect(lists.get('near far-1 far-2')).toBeGreaterThan(800)
    expect(lists.get('near far-1 far-2')).toBeLessThan(1200)
  })

  it('draws nothing where nobody has a weight', () => {
    expect(drawer([row('px', 0)], policy)(0).candidates).toEqual([])
  })

  it('never draws a proxy without weight, nor one twice', () => {
    const proxy = fc.record({
      weight: fc.constantFrom(0, 0.001, 1, 100),
      tier: fc.integer({ min: 1, max: 3 }),
      restricted: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(proxy, { maxLength: 8 }), (given) => {
        const proxies = given.map(({ weight, ...more }, i) => row(`px${i}`, weight, { ...more, baseWeight: 100 }))
        const alive = proxies.filter(({ weight }) => weight > 0).length
        const next = drawer(proxies, policy)
        for (let i = 0; i < 5; i++) {
          const { candidates } = next(i)
          expect(candidates.every(({ weight }) => weight > 0)).toBe(true)
          expect(new Set(ids(candidates)).size).toBe(candidates.length)
          expect(candidates.length).toBeGreaterThanOrEqual(Math.min(alive, 3))
          expect(candidates.length).toBeLessThanOrEqual(4)
        }
      }),
    )
  })
})

describe('the pick that is asked for', () => {
  it.each([
    ['least-work', 'least-work'],
    ['two-choices', 'least-work'],
    ['smooth-round-robin', 'first'],
    ['weighted-random', 'first'],
    ['rendezvous', 'first'],
  ] as const)('of %s is %s', (policy, pick) => {
    expect(drawer(rows(1, 1, 1), policy)(0).pick).toBe(pick)
  })

  it('is the first drawn where the pool is strict', () => {
    expect(drawer(rows(1, 1, 1), 'least-work', { strict: true })(0).pick).toBe('first')
    expect(drawer(rows(1, 1, 1), 'two-choices', { strict: true })(0).pick).toBe('first')
  })

  it('is among two for two-choices, and among up to four for least-work', () => {
    const sizeOf = (policy: Policy) => {
      const next = drawer(rows(...Array<number>(20).fill(1)), policy)
      const lists = Array.from(
        { length: 500 },
        (_, i) => next(i).candidates.filter(({ fallback }) => fallback !== true).length,
      )
      return Math.max(...lists)
    }
    expect(sizeOf('two-choices')).toBe(2)
    expect(sizeOf('least-work')).toBe(4)
  })

  it('leaves out what was added as a fallback: drawn with replacement, a light proxy is offered no more than its part', () => {
    const next = drawer(rows(970, 10, 10, 10), 'least-work')
    const offered = countOf(20_000, (i) => {
      const { candidates } = next(i)
      expect(candidates.length).toBeGreaterThanOrEqual(3)
      return candidates.some(({ proxy, fallback }) => proxy === 'px1' && fallback !== true)
    })
    const expected = 20_000 * (1 - 0.99 ** 4)
    expect(Math.abs((offered.get(true) ?? 0) - expected)).toBeLessThan(4.5 * Math.sqrt(expected))
  })

  it('keeps the shares at no load, and follows capacity at high load', () => {
    const proxies = rows(10, 20, 30)
    const next = drawer(proxies, 'least-work')
    const idle = countOf(30_000, (i) => pickFreshest(next(i).candidates, 'least-work', () => 0)[0]?.proxy)
    expect(worstSigma(idle, weightsOf(proxies))).toBeLessThan(4.5)
    const stuck = countOf(
      30_000,
      (i) => pickFreshest(next(i).candidates, 'least-work', (proxy) => (proxy === 'px2' ? 100 : 0))[0]?.proxy,
    )
    expect((stuck.get('px2') ?? 0) / 30_000).toBeCloseTo(0.5 ** 4, 2)
  })
})

describe('two pools', () => {
  it('draw independently: asked in turn, each keeps its shares', () => {
    const chooser = createChooser(seeded(5))
    const proxies = rows(1, 1)
    const [a, b] = ['a', 'b'].map((pool) => buildSnapshot(table(proxies, { pool, policy: 'smooth-round-robin' })))
    if (a === undefined || b === undefined) throw new Error('two pools')
    const turns = Array.from({ length: 4 }, () =>
      [draw(a, chooser), draw(b, chooser)].map((d) => d.candidates[0]?.proxy),
    )
    expect(turns).toEqual([
      ['px0', 'px0'],
      ['px1', 'px1'],
      ['px0', 'px0'],
      ['px1', 'px1'],
    ])
  })
})

describe('a new table', () => {
  it('goes on with the round where the old one left it', () => {
    const chooser = createChooser(seeded(5))
    const next = (seq: number) =>
      draw(buildSnapshot(table(rows(1, 1, 1), { seq, policy: 'smooth-round-robin' })), chooser).candidates[0]?.proxy
    expect([next(1), next(2), next(3), next(4)]).toEqual(['px0', 'px1', 'px2', 'px0'])
  })
})

describe('a route', () => {
  const pools = poolsConfig.parse({
    phones: { match: { userPrefix: '+' }, rendezvousKey: 'from' },
    empty: { match: { userPrefix: 'empty' } },
    unheard: { match: { userPrefix: 'unheard' } },
    calls: { match: { userPrefix: 'alice' } },
  })
  const matcher = createMatcher(pools)
  const chooser = createChooser(seeded(1))
  const snapshots = new Map(
    [
      table(rows(1, 1, 1, 1, 1, 1, 1, 1), { pool: 'phones', epoch: 4, seq: 2, policy: 'rendezvous' }),
      table([row('px', 0)], { pool: 'empty' }),
      table(rows(1, 1, 1, 1, 1, 1, 1, 1), { pool: 'calls', policy: 'rendezvous' }),
    ].map((one) => [one.pool, buildSnapshot(one)]),
  )
  const ask = (more: Parameters<typeof facts>[0]) =>
    route(matcher, snapshots, chooser, facts(more), createRouteKeys(pools))

  it('says where, by which pool and by which table, and fits the contract', () => {
    const answer = ask({ id: '77', requestUri: 'sip:+49@example.com' })
    expect(routeAnswer.parse(answer)).toEqual(answer)
    expect(answer).toMatchObject({
      outcome: 'routed',
      id: '77',
      pool: 'phones',
      epoch: 4,
      seq: 2,
      policy: 'rendezvous',
      pick: 'first',
    })
  })

  it('is none where no pool fits, or nobody in it can take the request', () => {
    expect(ask({ id: '1', requestUri: 'sip:nobody@example.com' })).toEqual({ outcome: 'no-pool', id: '1' })
    expect(ask({ id: '2', requestUri: 'sip:empty@example.com' })).toEqual({
      outcome: 'no-proxy',
      id: '2',
      pool: 'empty',
    })
    expect(ask({ id: '3', requestUri: 'sip:unheard@example.com' })).toEqual({
      outcome: 'no-proxy',
      id: '3',
      pool: 'unheard',
    })
  })

  const firsts = (asked: (i: number) => Parameters<typeof facts>[0]) =>
    countOf(50, (i) => {
      const answer = ask(asked(i))
      return answer.outcome === 'routed' ? answer.candidates[0]?.proxy : undefined
    }).size

  it('keeps a call, or a caller, at one proxy by rendezvous', () => {
    const requestUri = 'sip:+49@example.com'
    expect(firsts((i) => ({ requestUri, callId: `c${i}` }))).toBe(1)
    expect(firsts((i) => ({ requestUri, from: `sip:${i}@example.com` }))).toBeGreaterThan(4)
    expect(firsts((i) => ({ from: `sip:${i}@example.com` }))).toBe(1)
    expect(firsts((i) => ({ callId: `c${i}` }))).toBeGreaterThan(4)
  })

  it('hashes the Call-ID where nothing else is said', () => {
    const answers = [1, 2].map((i) => route(matcher, snapshots, chooser, facts({ from: `sip:${i}@example.com` })))
    expect(answers[0]).toEqual(answers[1])
  })
})
