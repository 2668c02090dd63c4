import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashOf, unitOf } from '../../src/choice/hash.ts'
import { rank } from '../../src/choice/rendezvous.ts'
import { buildSnapshot } from '../../src/snapshot.ts'
import { countOf, row, rows, table, weightsOf, worstSigma } from '../support.ts'

const rankIn = (proxies: ReturnType<typeof row>[]) => {
  const snapshot = buildSnapshot(table(proxies, { policy: 'rendezvous' }))
  return (key: string) => rank(snapshot, key).map(({ candidate }) => candidate.proxy)
}

describe('rendezvous', () => {
  const five = rows(10, 20, 30, 40, 50)

  it('sends a key to the same proxies always, wherever they stand in the table', () => {
    const forward = rankIn(five)
    const backward = rankIn(five.toReversed())
    for (let i = 0; i < 200; i++) expect(backward(`call-${i}`)).toEqual(forward(`call-${i}`))
  })

  it('gives each proxy its share of the keys', () => {
    const first = rankIn(five)
    expect(
      worstSigma(
        countOf(100_000, (i) => first(`${i}@example.com`)[0]),
        weightsOf(five),
      ),
    ).toBeLessThan(4.5)
  })

  it('moves only the keys of a proxy that goes, each to its own fallback', () => {
    const all = rankIn(five)
    const without = rankIn(five.slice(1))
    for (let i = 0; i < 2000; i++) {
      const [first, second] = all(`call-${i}`)
      expect(without(`call-${i}`)[0]).toBe(first === 'px0' ? second : first)
    }
  })

  it('moves keys only to a proxy whose weight grows', () => {
    const before = rankIn(five)
    const after = rankIn([row('px0', 15), ...five.slice(1)])
    for (let i = 0; i < 2000; i++) {
      const [then, now] = [before(`call-${i}`)[0], after(`call-${i}`)[0]]
      expect(now === then || now === 'px0').toBe(true)
    }
    expect(countOf(2000, (i) => after(`call-${i}`)[0] !== before(`call-${i}`)[0]).get(true)).toBeGreaterThan(20)
  })

  it('has the next tier as fallback, and a restricted proxy when there is nobody else', () => {
    const proxies = [row('a', 10), row('slow', 10, { restricted: true }), row('far', 10, { tier: 2 })]
    const ranked = rankIn(proxies)
    for (let i = 0; i < 100; i++) {
      const found = ranked(`call-${i}`)
      expect(found).toEqual(found[0] === 'a' ? ['a', 'far', 'slow'] : ['slow', 'a', 'far'])
    }
  })
})

describe('the hash', () => {
  // Locations and ingresses of different versions must agree.
  it('never changes', () => {
    expect([hashOf('px1'), hashOf('a84b4c76e66710@pc33.atlanta.com')]).toMatchInlineSnapshot(`
      [
        {
          "high": -173977425,
          "low": -782935444,
        },
        {
          "high": 169760029,
          "low": 1320013618,
        },
      ]
    `)
  })

  it('makes a number inside (0, 1) of any two texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const unit = unitOf(hashOf(a), hashOf(b))
        return unit > 0 && unit < 1 && Math.log(unit) < 0
      }),
    )
  })

  it('spreads texts that differ in one character evenly, for each proxy', () => {
    for (const proxy of ['px1', 'px2', 'a-proxy-with-a-long-name']) {
      const tenths = countOf(50_000, (i) => `t${Math.floor(unitOf(hashOf(`${i}`), hashOf(proxy)) * 10)}`)
      const even = new Map(Array.from({ length: 10 }, (_, i) => [`t${i}`, 1]))
      expect(worstSigma(tenths, even)).toBeLessThan(4.5)
    }
  })
})
