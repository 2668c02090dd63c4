import { poolsConfig, type WeightRow } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { createMatcher } from '../src/match.ts'
import { createRouteKeys } from '../src/route-keys.ts'
import { createChooser, route } from '../src/route.ts'
import { buildSnapshot } from '../src/snapshot.ts'
import { countOf, facts, row, seeded, table } from './support.ts'

const pools = poolsConfig.parse({ phones: { affinity: 'aor' } })
const chooser = createChooser(seeded(7))

function chosen(proxies: WeightRow[], asked: Parameters<typeof facts>[0]): string | undefined {
  const snapshots = new Map([['phones', buildSnapshot(table(proxies, { pool: 'phones', policy: 'least-work' }))]])
  const answer = route(createMatcher(pools), snapshots, chooser, facts(asked), createRouteKeys(pools))
  return answer.outcome === 'routed' ? answer.candidates[0]?.proxy : undefined
}

const equals = ['a', 'b', 'c', 'd'].map((id) => row(id, 100))
const invite = (i: number) => ({
  method: 'INVITE',
  requestUri: `sip:user${i}@Example.com;transport=tcp`,
  callId: `${i}`,
})
const register = (i: number, callId: string) => ({
  method: 'REGISTER',
  requestUri: 'sip:example.com',
  to: `sip:user${i}@example.com:5060`,
  callId,
})

describe('a pool whose requests stay with their address-of-record', () => {
  it('sends a call to the proxy that has the registration', () => {
    for (let i = 0; i < 200; i++) expect(chosen(equals, invite(i))).toBe(chosen(equals, register(i, 'r')))
  })

  it('sends each refreshing REGISTER to the same one', () => {
    expect(countOf(50, (i) => chosen(equals, register(7, `r${i}`))).size).toBe(1)
  })

  it('spreads addresses-of-record over the proxies by base weights', () => {
    const counts = countOf(8000, (i) => chosen([row('a', 300), row('b', 100)], register(i, 'r')))
    expect((counts.get('a') ?? 0) / 8000).toBeCloseTo(0.75, 1)
  })

  it('keeps them where they are when weights move, and moves those of a proxy that is out, alone', () => {
    const [a, ...others] = equals as [WeightRow, ...WeightRow[]]
    const slower = [{ ...a, weight: 5 }, ...others]
    const without = [{ ...a, weight: 0 }, ...others]
    for (let i = 0; i < 200; i++) {
      const own = chosen(equals, register(i, 'r'))
      expect(chosen(slower, register(i, 'r'))).toBe(own)
      if (own !== 'a') expect(chosen(without, register(i, 'r'))).toBe(own)
      else expect(chosen(without, register(i, 'r'))).not.toBe('a')
    }
  })
})
