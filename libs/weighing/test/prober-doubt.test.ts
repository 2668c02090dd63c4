import { responseTime } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { heard, newIngressView, type IngressView } from '../src/signals/ingress-view.ts'
import { newProbeView, probed, type ProbeView } from '../src/signals/probe-view.ts'
import { doubtedProbers, type Heard } from '../src/standing/prober-doubt.ts'
import { report } from './support.ts'

const at = (outcome: 'lost' | 'refused' | 'answered', now: number) =>
  probed(newProbeView, responseTime.parse({ proxy: 'x', outcome, responseTimeMs: 1 }), now)
const rules = { windowMs: 10_000, areTimeoutsOld: false }
const answering = (now: number) => heard(newIngressView, report('x', 3, { success: 3 }), now, rules)
const refusing = (now: number) => heard(answering(now - 1000), report('x', 3, { transportError: 3 }), now, rules)
const proxy = (probe: ProbeView | undefined, ...live: IngressView[]): Heard => ({
  probes: new Map(probe === undefined ? [] : [['a', probe]]),
  live,
})

describe('a prober', () => {
  it('is believed when it loses one proxy', () => {
    const pool = [proxy(at('lost', 1000), answering(1900)), proxy(at('answered', 1500)), proxy(at('answered', 1500))]
    expect(doubtedProbers(pool, 2000).size).toBe(0)
  })

  it('is believed when it loses half of the pool, though one of them is answered elsewhere', () => {
    const pool = [
      proxy(at('lost', 1000), answering(1900)),
      proxy(at('lost', 1100)),
      ...Array<Heard>(2).fill(proxy(at('answered', 1500))),
    ]
    expect(doubtedProbers(pool, 2000).size).toBe(0)
  })

  it('is doubted when it loses most of a pool that answers real traffic', () => {
    const pool = [proxy(at('lost', 1000), answering(1900)), proxy(at('lost', 1100)), proxy(at('answered', 1500))]
    expect([...doubtedProbers(pool, 2000)]).toEqual(['a'])
  })

  it('is believed when real traffic fails there too', () => {
    const pool = [
      proxy(at('lost', 1000), refusing(1900)),
      proxy(at('lost', 1100), refusing(1900)),
      proxy(at('answered', 1500)),
    ]
    expect(doubtedProbers(pool, 2000).size).toBe(0)
  })

  it('is believed where there is no real traffic to know better', () => {
    expect(doubtedProbers([proxy(at('lost', 1000)), proxy(at('lost', 1100))], 2000).size).toBe(0)
  })

  it('has to wait for what real traffic says when most of a busy pool refuses at once', () => {
    const pool = [proxy(at('refused', 1000), answering(950)), proxy(at('refused', 1100), answering(1050))]
    expect([...doubtedProbers(pool, 1150)]).toEqual(['a'])
    expect(doubtedProbers(pool, 1900).size).toBe(0)
  })

  it('is doubted when another prober has answers from where it has none', () => {
    const both = (name: string): Heard => ({
      probes: new Map([
        ['a', at('lost', 1000)],
        ['b', at('answered', 1400)],
      ]),
      live: [],
      ...{ name },
    })
    expect([...doubtedProbers([both('x'), both('y')], 2000)]).toEqual(['a'])
  })
})
