import { SketchBuilder, weightTable, type ProxyRecord } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { PoolDriver, recordOf, type Behaviour } from './pool-driver.ts'
import { report } from './support.ts'

const well: Behaviour = { probeMs: 10, liveMs: 10 }
const idle: Behaviour = { probeMs: 10 }
/** All behave well but this one. */
const but =
  (odd: string, behaviour: Behaviour, others: Behaviour = well) =>
  (id: string) =>
    id === odd ? behaviour : others

describe('a pool of proxies that are alike', () => {
  it('has exactly its base weights, from the first table on', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(60_000, (id, now) => ({ probeMs: 8 + ((now / 250) % 5) + id.length, liveMs: 8 + ((now / 250) % 7) }))
    expect(new Set(driver.said.flatMap(({ table }) => table.proxies.map(({ weight }) => weight)))).toEqual(
      new Set([100]),
    )
    expect(driver.said.length).toBeLessThanOrEqual(3)
  })

  it('keeps them when nothing at all is heard', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(60_000, () => ({ probeMs: 'unprobed' }), [])
    expect(driver.weights()).toEqual([100, 100])
    expect(driver.row('a')?.state).toBe('unknown')
  })

  it('is moved by no more than 2 % by one slow probe, one lost probe, or one slow call', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    driver.run(1000, but('a', { probeMs: 450 }, idle))
    driver.run(5000, () => idle)
    driver.probe('b', { outcome: 'lost' })
    driver.run(5000, () => idle)
    const lowest = Math.min(...driver.said.flatMap(({ table }) => table.proxies.map(({ weight }) => weight)))
    expect(lowest).toBeGreaterThanOrEqual(98)
  })
})

describe('a proxy that becomes ten times slower', () => {
  it('gets no more than the floor within five seconds, and stays there', () => {
    const driver = new PoolDriver('a', 'b', 'c', 'd')
    driver.run(10_000, () => ({ probeMs: 50, liveMs: 50 }))
    driver.run(5000, but('a', { probeMs: 450, liveMs: 500 }, { probeMs: 50, liveMs: 50 }))
    expect(driver.weight('a')).toBe(2)
    const before = driver.said.length
    driver.run(60_000, but('a', { probeMs: 450, liveMs: 500 }, { probeMs: 50, liveMs: 50 }))
    expect(driver.said.length).toBe(before)
    expect(driver.weights().slice(1)).toEqual([100, 100, 100])
  })

  it('is found by probes alone where there are no calls', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    driver.run(6000, but('a', { probeMs: 200 }, idle))
    expect(driver.weight('a')).toBeLessThan(15)
    expect(driver.table.proxies[0]?.reason).toMatch(/response time 200 ms, pool 10 ms/)
  })

  it('has its whole weight again when it is as quick as the others', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(10_000, but('a', { probeMs: 100, liveMs: 100 }))
    driver.run(7000, () => well)
    expect(driver.weight('a')).toBeLessThan(50) // from so far down it grows as slowly as one that is new
    driver.run(20_000, () => well)
    expect(driver.weights()).toEqual([100, 100, 100])
  })

  it('is not helped by quick answers to probes while its calls are slow', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(10_000, but('a', { probeMs: 10, liveMs: 200 }))
    expect(driver.weight('a')).toBeLessThan(15)
  })

  it('is seen though it is so slow that every request is sent twice', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    // Answers come, but none that could be timed (Karn); probes are lost.
    for (let i = 0; i < 12; i++) {
      driver.now += 250
      const quick = new SketchBuilder()
      for (let n = 0; n < 5; n++) quick.add(10)
      const timed = { responseTimes: { INVITE: quick.take() } }
      driver.traffic(
        'i1',
        report('a', 5, { success: 5 }),
        ...['b', 'c'].map((id) => report(id, 5, { success: 5 }, timed)),
      )
      driver.weigh()
    }
    expect(driver.weight('a')).toBeLessThan(5)
  })
})

describe('a probe', () => {
  it('that the prober itself doubts makes no proxy slow', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(5000, () => idle)
    for (let i = 0; i < 8; i++) driver.probe('a', { responseTimeMs: 400, doubtful: true })
    driver.run(250, () => idle)
    expect(driver.row('a')).toMatchObject({ weight: 100, signals: { responseTimeMs: 10 } })
  })

  it('that is answered 503 in no time makes no slow proxy quick', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, but('a', { probeMs: 100 }, idle))
    driver.run(5000, but('a', { probeMs: 1, probeStatus: 503 }, idle))
    expect(driver.row('a')?.signals.responseTimeMs).toBe(100)
  })

  it('that was lost is forgotten with its prober', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(5000, () => well)
    for (let i = 0; i < 4; i++) driver.probe('a', { outcome: 'lost' }, '/siplb/prober/p2')
    driver.run(1000, () => ({ ...well, probeMs: 'unprobed' }))
    expect(driver.row('a')?.state).toBe('suspect')
    driver.run(20_000, () => ({ probeMs: 'unprobed' }))
    expect(driver.weights()).toEqual([100, 100, 100])
  })
})

describe('load', () => {
  it('takes weight from a proxy that is over the target, and gives it back', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(2000, () => idle)
    driver.load('a', 0.9)
    driver.run(1000, () => idle)
    expect(driver.weight('a')).toBeLessThan(40)
    expect(driver.table.proxies[0]).toMatchObject({
      restricted: true,
      reason: expect.stringContaining('load 0.9, target 0.7'),
    })
    for (let i = 0; i < 10; i++) {
      driver.load('a', 0.3)
      driver.run(1000, () => idle)
    }
    expect(driver.weight('a')).toBe(100)
  })

  it('expires', () => {
    const driver = new PoolDriver('a', 'b')
    driver.load('a', 1, { expiresInMs: 2000 })
    driver.run(1500, () => idle)
    expect(driver.weight('a')).toBeLessThan(10)
    driver.run(10_000, () => idle)
    expect(driver.weight('a')).toBe(100)
  })

  it('does not expire while all probers are silent: nobody is there to renew it', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(2000, () => idle)
    driver.load('a', 0.9, { expiresInMs: 3000 })
    driver.run(1000, () => idle)
    const before = driver.weights()
    driver.run(120_000, () => ({ probeMs: 'unprobed' }))
    expect(driver.weights()).toEqual(before)
  })

  it('hardly matters when all are full', () => {
    const driver = new PoolDriver('a', 'b')
    driver.load('a', 0.97)
    driver.load('b', 1)
    driver.run(5000, () => idle)
    expect(driver.weight('a') / driver.weight('b')).toBeLessThan(1.2)
  })
})

describe('a proxy that answers 503 at once', () => {
  it('has less than 5 % of the pool within two seconds, and is ejected when a probe sees it too', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(2000, but('a', { probeMs: 1, probeStatus: 503, liveMs: 1, live: 'unavailable' }))
    expect(driver.weight('a') / sum(driver.weights())).toBeLessThan(0.05)
    driver.run(2000, but('a', { probeMs: 1, probeStatus: 503, liveMs: 1, live: 'unavailable' }))
    expect(driver.row('a')?.state).toBe('ejected')
    expect(driver.weight('a')).toBe(0)
  })

  it('loses its share at once and not step by step', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(3000, but('a', { probeMs: 10, liveMs: 1, live: 'unavailable' }))
    const seen = driver.said.map(({ table }) => table.proxies[0]?.weight)
    expect(new Set(seen)).toEqual(new Set([100, 2]))
  })

  it('is not ejected on the word of one ingress, but keeps a trickle', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(10_000, but('a', { probeMs: 10, liveMs: 1, live: 'unavailable' }))
    expect(driver.row('a')?.state).toBe('up')
    expect(driver.weight('a')).toBe(2)
  })

  it('is not ejected on the word of two workers of one ingress, nor of all their requests together', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    const workers = ['i1-w0', 'i1-w1']
    driver.run(10_000, () => well, workers)
    driver.run(10_000, but('a', { probeMs: 10, liveMs: 1, live: 'unavailable' }), workers)
    expect(driver.row('a')?.state).toBe('up')
    expect(driver.weight('a')).toBe(2)
  })

  it('is ejected on the word of two ingresses', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well, ['i1', 'i2'])
    driver.run(2000, but('a', { probeMs: 10, liveMs: 1, live: 'unavailable' }), ['i1', 'i2'])
    expect(driver.row('a')?.state).toBe('ejected')
  })

  it('comes back by slow start after its time', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well, ['i1', 'i2'])
    driver.run(2000, but('a', { probeMs: 10, liveMs: 1, live: 'unavailable' }), ['i1', 'i2'])
    driver.run(10_000, () => well, ['i1', 'i2'])
    expect(driver.row('a')).toMatchObject({ state: 'recovering', restricted: true })
    expect(driver.weight('a')).toBeLessThanOrEqual(10)
    driver.run(40_000, () => well, ['i1', 'i2'])
    expect(driver.weight('a')).toBe(100)
  })

  it('leaves half of the pool in use when all fail', () => {
    const driver = new PoolDriver('a', 'b', 'c', 'd')
    driver.run(10_000, () => well)
    driver.run(5000, () => ({ probeMs: 1, probeStatus: 503, liveMs: 1, live: 'unavailable' }))
    expect(driver.weights().filter((weight) => weight === 0)).toHaveLength(2)
  })
})

describe('a proxy that refuses what others accept', () => {
  it('is halved, and restricted, and has its weight again afterwards', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(8000, but('a', { probeMs: 10, liveMs: 10, live: 'refusal' }))
    expect(driver.weight('a')).toBe(50)
    expect(driver.row('a')?.restricted).toBe(true)
    driver.run(20_000, () => well)
    expect(driver.weight('a')).toBe(100)
  })
})

describe('a dead proxy', () => {
  it.each([
    ['refuses', { probeMs: 'refused' }],
    ['is silent', { probeMs: 'lost' }],
    ['is silent under traffic', { probeMs: 'lost', liveMs: 10, live: 'silence' }],
    ['refuses under traffic', { probeMs: 'refused', liveMs: 10, live: 'transportError' }],
  ] as const)('that %s is left by new requests within two seconds', (_how, behaviour) => {
    const driver = new PoolDriver('a', 'b', 'c')
    const others = 'liveMs' in behaviour ? well : idle
    driver.run(10_000, () => others)
    driver.run(2000, but('a', behaviour, others))
    expect(driver.weights()).toEqual([0, 100, 100])
    expect(driver.row('a')?.state).toBe('down')
  })

  it('comes back by slow start after two answered probes', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    driver.run(5000, but('a', { probeMs: 'refused' }, idle))
    driver.run(1000, () => idle)
    expect(driver.weight('a')).toBe(0)
    driver.run(1000, () => idle)
    expect(driver.weight('a')).toBe(5)
    driver.run(60_000, () => idle)
    expect(driver.weights()).toEqual([100, 100, 100])
    const grown = driver.said.map(({ table }) => table.proxies[0]?.weight ?? 0).filter((weight) => weight > 0)
    expect(grown.slice(1).every((weight, i) => weight >= (grown[i] ?? 0) || i < 2)).toBe(true)
  })

  it('that is back is not blamed for the timeouts of the time when it was silent', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(5000, but('a', { probeMs: 'lost', liveMs: 10, live: 'silence' }))
    driver.run(5000, () => well)
    driver.traffic('i1', report('a', 0, { timeout: 60 }))
    driver.run(500, () => well)
    expect(driver.row('a')).toMatchObject({ state: 'recovering', signals: { faultRate: 0 } })
  })

  it('that flaps every five seconds says at most two things in ten, and gets at most a tenth after three times', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    const flap = (id: string, now: number): Behaviour =>
      id === 'a' && now % 10_000 < 5000 ? { probeMs: 'refused' } : idle
    driver.run(60_000, flap)
    const said = driver.said.map(({ at }) => at).filter((at) => at > 15_000)
    expect(said.length).toBeGreaterThan(4)
    for (const at of said)
      expect(said.filter((other) => other >= at && other < at + 10_000).length).toBeLessThanOrEqual(2)
    const late = driver.said.filter(({ at }) => at > 40_000).map(({ table }) => table.proxies[0]?.weight ?? 0)
    expect(Math.max(...late)).toBeLessThanOrEqual(10)
  })

  it('makes no panic alone, but when all are dead all are tried with their base weights', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    driver.run(3000, (id) => (id === 'c' ? idle : { probeMs: 'refused' }))
    expect(driver.weights()).toEqual([0, 0, 100])
    driver.run(3000, () => ({ probeMs: 'refused' }))
    expect(driver.table.panic).toBe(true)
    expect(driver.weights()).toEqual([100, 100, 100])
  })
})

describe('a prober that loses most of the pool', () => {
  it('is not believed while real traffic is answered', () => {
    const driver = new PoolDriver('a', 'b', 'c', 'd')
    const busyA =
      (probeMs: Behaviour['probeMs']) =>
      (id: string): Behaviour =>
        id === 'a' ? { ...well, probeMs: probeMs ?? 10 } : { probeMs: probeMs ?? 10 }
    driver.run(10_000, busyA(10))
    driver.run(10_000, busyA('lost'))
    expect(driver.weights()).toEqual([100, 100, 100, 100])
  })
})

describe('probers that are all gone', () => {
  it('freeze the weights, and eject nobody', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => idle)
    driver.run(10_000, but('a', { probeMs: 60 }, idle))
    const before = driver.weights()
    expect(before[0]).toBeLessThan(50)
    driver.run(120_000, () => ({ probeMs: 'unprobed' }))
    expect(driver.weights()).toEqual(before)
  })
})

describe('the operator', () => {
  it('drains: no new requests at once, drained when no dialog is left', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => ({ ...well, dialogs: 4 }))
    driver.pool.put(recordOf('a', { adminState: 'draining', actor: 'ann' }), driver.now)
    driver.run(20_000, () => ({ ...well, dialogs: 4 }))
    expect(driver.row('a')).toMatchObject({ weight: 0, state: 'draining', actor: 'ann' })
    driver.run(500, () => ({ ...well, dialogs: 0 }))
    expect(driver.row('a')?.state).toBe('drained')
  })

  it('is not told "drained" because the bus was gone', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => ({ ...well, dialogs: 4 }), ['i1', 'i2'])
    driver.pool.put(recordOf('a', { adminState: 'draining' }), driver.now)
    driver.run(30_000, () => ({ probeMs: 'unprobed' }), [])
    expect(driver.row('a')?.state).toBe('draining')
    driver.run(1000, () => ({ ...well, dialogs: 0 }), ['i1'])
    expect(driver.row('a')?.state).toBe('draining')
    driver.run(5000, () => ({ ...well, dialogs: 0 }), ['i1', 'i2'])
    expect(driver.row('a')?.state).toBe('drained')
  })

  it('drains a proxy whose ingress died: what that one had is gone with it', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => ({ ...well, dialogs: 4 }), ['i1', 'i2'])
    driver.pool.put(recordOf('a', { adminState: 'draining' }), driver.now)
    driver.run(5000, () => ({ ...well, dialogs: 0 }), ['i2'])
    expect(driver.row('a')?.state).toBe('drained')
  })

  it('disables: nothing that is heard changes that', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => well)
    driver.pool.put(recordOf('a', { adminState: 'disabled', actor: 'ann' }), driver.now)
    driver.run(5000, but('a', { probeMs: 'refused' }))
    expect(driver.row('a')).toMatchObject({ weight: 0, state: 'disabled' })
  })

  it('enables by slow start', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => well)
    driver.pool.put(recordOf('a', { adminState: 'disabled' }), driver.now)
    driver.run(5000, () => well)
    driver.pool.put(recordOf('a', { actor: 'ann' }), driver.now)
    driver.run(250, () => well)
    expect(driver.row('a')).toMatchObject({ state: 'recovering', restricted: true, actor: 'ann' })
    expect(driver.weight('a')).toBeLessThanOrEqual(10)
    driver.run(40_000, () => well)
    expect(driver.weights()).toEqual([100, 100])
  })

  it('sets a weight, exactly', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => well)
    driver.pool.put(recordOf('a', { operatorWeight: 37 }), driver.now)
    driver.run(250, () => well)
    expect(driver.weights()).toEqual([37, 100])
    driver.pool.put(recordOf('a', { operatorWeight: 0 }), driver.now)
    driver.run(250, () => well)
    expect(driver.weights()).toEqual([0, 100])
  })

  it('is named with what he did to the base weight', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(1000, () => ({ probeMs: 'unprobed' }))
    const reasonAfter = (more: Partial<ProxyRecord>) => {
      driver.pool.put(recordOf('a', more), driver.now)
      driver.run(250, () => ({ probeMs: 'unprobed' }))
      return driver.table.proxies[0]?.reason
    }
    expect(reasonAfter({})).toBe('as configured')
    expect(reasonAfter({ operatorWeight: 30, actor: 'cli/ann@vm' })).toBe('base weight set to 30 by cli/ann@vm')
    expect(reasonAfter({ actor: 'cli/bob@vm' })).toBe('base weight back to 100 by cli/bob@vm')
    expect(reasonAfter({ weight: 50, actor: 'cli/bob@vm' })).toBe('base weight 50 in the configuration')
  })

  it('is not mixed up with one who did something else later', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => idle)
    driver.pool.put(recordOf('a', { operatorWeight: 30, actor: 'ann' }), driver.now)
    driver.pool.put(recordOf('a', { operatorWeight: 30, adminState: 'disabled', actor: 'bob' }), driver.now)
    driver.pool.put(recordOf('a', { operatorWeight: 40, adminState: 'disabled', actor: 'eve' }), driver.now)
    driver.run(250, () => idle)
    expect(driver.table.proxies[0]).toMatchObject({
      state: 'disabled',
      reason: 'disabled by bob; base weight set to 40 by eve',
    })
  })

  it('is named with a proxy that he added', () => {
    const driver = new PoolDriver('a', 'b')
    driver.pool.put(recordOf('c', { origin: 'command', actor: 'ann' }), driver.now)
    driver.weigh()
    expect(driver.table.proxies[2]?.reason).toBe('added by ann')
  })

  it('changes one proxy and touches no statistic of another', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, but('b', { probeMs: 100, liveMs: 100 }))
    const before = driver.row('b')
    driver.pool.put(recordOf('a', { uri: 'sip:elsewhere', weight: 5 }), driver.now)
    driver.pool.remove('c')
    driver.pool.put(recordOf('d'), driver.now)
    expect(driver.row('b')).toEqual(before)
    expect(driver.row('a')).toMatchObject({ state: 'unknown', weight: 5, signals: {} })
  })
})

describe('a proxy that was down and comes back by a command', () => {
  const silent: Behaviour = { probeMs: 'lost' }
  const unheard: Behaviour = { probeMs: 'unprobed' }
  /** Of two silent proxies one is disabled for a while, as nobody probes it then, and enabled again. */
  function enabledAgain(other: Behaviour, adminState: 'disabled' | 'draining' = 'disabled'): PoolDriver {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => silent)
    driver.pool.put(recordOf('a', { adminState, actor: 'ann' }), driver.now)
    driver.run(8000, but('a', adminState === 'disabled' ? unheard : silent, other))
    driver.pool.put(recordOf('a', { actor: 'ann' }), driver.now)
    driver.weigh()
    return driver
  }

  it.each(['disabled', 'draining'] as const)('after it was %s ends no panic until it answers', (adminState) => {
    const driver = enabledAgain(silent, adminState)
    for (const a of [unheard, silent]) {
      expect(driver.table.panic).toBe(true)
      expect(driver.weights()).toEqual([100, 100])
      driver.run(3000, but('a', a, silent))
    }
    driver.pool.put(recordOf('a', { adminState: 'disabled', actor: 'ann' }), driver.now)
    driver.pool.put(recordOf('a', { actor: 'ann' }), driver.now)
    driver.run(5000, but('a', idle, silent))
    expect(driver.table.panic).toBe(false)
    expect(driver.table.proxies[0]).toMatchObject({ state: 'recovering', restricted: true })
    expect(driver.weight('b')).toBe(0)
  })

  it('says by whom it is tried', () => {
    const driver = enabledAgain(silent)
    expect(driver.table.proxies[0]).toMatchObject({
      ...{ state: 'recovering', restricted: false },
      reason: 'enabled by ann; too few are left: all are tried',
    })
  })

  it('has not proved itself by being disabled and enabled once more, nor by a change of the weigher', () => {
    const driver = enabledAgain(silent)
    driver.pool.put(recordOf('a', { adminState: 'disabled', actor: 'ann' }), driver.now)
    driver.pool.put(recordOf('a', { actor: 'ann' }), driver.now)
    driver.run(250, but('a', unheard, silent))
    expect(driver.weights()).toEqual([100, 100])
    const next = new PoolDriver('a', 'b')
    next.pool.restore(driver.table, 0)
    next.weigh()
    expect(next.table.panic).toBe(true)
    expect(next.weights()).toEqual([100, 100])
  })

  it('proves itself by one answered probe', () => {
    const driver = enabledAgain(silent)
    driver.probe('a', { responseTimeMs: 10 })
    driver.weigh()
    expect(driver.weights()).toEqual([5, 0])
  })

  it('proves itself by live answers, though probes are lost', () => {
    const driver = enabledAgain(silent)
    driver.run(1000, but('a', { probeMs: 'unprobed', liveMs: 10 }, silent))
    driver.probe('a', { outcome: 'lost' })
    driver.run(1000, but('a', { probeMs: 'unprobed', liveMs: 10 }, silent))
    expect(driver.row('a')).toMatchObject({ state: 'recovering', restricted: true })
    expect(driver.weight('b')).toBe(0)
  })

  it('takes part where nobody probes at all: no data never means down', () => {
    const driver = enabledAgain(unheard)
    driver.run(5000, () => unheard, [])
    expect(driver.weight('a')).toBeGreaterThan(0)
    const never = new PoolDriver('a', 'b')
    never.pool.put(recordOf('a', { adminState: 'disabled' }), 0)
    never.pool.put(recordOf('a'), 0)
    never.run(60_000, () => unheard, [])
    expect(never.weights()).toEqual([100, 100])
    expect(never.table.panic).toBe(false)
  })

  it('grows as ever while others are up', () => {
    const driver = enabledAgain(idle)
    expect(driver.weights()).toEqual([5, driver.weight('b')])
    expect(driver.weight('b')).toBeGreaterThan(0)
  })
})

describe('tiers', () => {
  it('are not held against one another', () => {
    const driver = new PoolDriver('near1', 'near2', 'far1', 'far2')
    for (const id of ['far1', 'far2']) driver.pool.put(recordOf(id, { tier: 2 }), 0)
    driver.run(20_000, (id) => ({ probeMs: id.startsWith('far') ? 150 : 2 }))
    expect(driver.weights()).toEqual([100, 100, 100, 100])
  })
})

describe('a proxy that is well again after lost probes', () => {
  it('is said to be up, though its weight never changed', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.run(2000, but('a', { ...well, probeMs: 'lost' }))
    expect(driver.table.proxies[0]).toMatchObject({
      ...{ state: 'suspect', weight: 100 },
      reason: expect.stringMatching(/^\d+ probes? lost, live traffic answers$/),
    })
    driver.run(6000, () => well)
    expect(driver.table.proxies[0]).toMatchObject({ state: 'up', weight: 100 })
  })
})

describe('a reason', () => {
  it('says why a proxy is out, and not once more that it is', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(5000, () => idle)
    driver.run(1000, but('a', { probeMs: 'refused' }, idle))
    expect(driver.table.proxies[0]).toMatchObject({ state: 'down', reason: 'nobody listens: the probe was refused' })
    driver.run(1000, () => ({ probeMs: 'refused' }))
    const [a] = driver.table.proxies
    expect(a?.reason).toBe('nobody listens: the probe was refused; too few are left: all are tried')
  })

  it('stays the same where another weigher goes on', () => {
    const reasonsOf = (driver: PoolDriver) => driver.pool.weigh(driver.now).proxies.map(({ why }) => why)
    const first = new PoolDriver('a', 'b')
    first.run(5000, () => idle)
    first.run(3000, () => ({ probeMs: 'refused' }))
    const second = new PoolDriver('a', 'b')
    second.pool.restore(first.table, 0)
    expect(reasonsOf(second)).toEqual(reasonsOf(first))
    first.run(4000, but('a', { probeMs: 'refused' }, idle))
    const third = new PoolDriver('a', 'b')
    third.pool.restore(first.table, 0)
    expect(reasonsOf(third)[1]).toMatch(/^probes are answered again; slow start at \d+ %$/)
  })
})

describe('a weigher that begins with a stored table', () => {
  it('has the weights and states of it until it knows better', () => {
    const first = new PoolDriver('a', 'b', 'c', 'd')
    first.run(10_000, () => idle)
    first.run(10_000, (id) => (id === 'a' ? { probeMs: 100 } : id === 'b' ? { probeMs: 'refused' } : idle))
    const second = new PoolDriver('a', 'b', 'c', 'd')
    second.pool.restore(first.table, 0)
    second.weigh()
    for (const [i, weight] of first.weights().entries()) {
      expect(Math.abs((second.weights()[i] ?? 0) - weight)).toBeLessThanOrEqual(0.05 * weight)
    }
    second.run(8000, (id) => (id === 'a' ? { probeMs: 100 } : id === 'b' ? { probeMs: 'refused' } : idle))
    expect(second.weights().slice(1)).toEqual([0, 100, 100])
    expect(second.weight('a')).toBeLessThan(25)
  })

  it('goes on with a slow start', () => {
    const first = new PoolDriver('a', 'b')
    first.run(5000, () => idle)
    first.run(3000, but('a', { probeMs: 'refused' }, idle))
    first.run(16_000, () => idle)
    const second = new PoolDriver('a', 'b')
    second.pool.restore(first.table, 0)
    second.weigh()
    expect(second.weight('a')).toBeCloseTo(first.weight('a'), 0)
    second.run(32_000, () => idle)
    expect(second.weight('a')).toBe(100)
  })
})

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

describe('a proxy that says itself what it can take', () => {
  it('is restricted while it asks for less, keeps its weight, and the reason says so', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    driver.load('a', 0.3, { source: 'oc', overload: { algorithm: 'loss', value: 30, seq: 1, validityMs: 3000 } })
    const asking = driver.row('a')
    expect(asking).toMatchObject({ weight: 100, restricted: true, overload: { algorithm: 'loss', value: 30 } })
    expect(asking?.why).toMatch(/^asks for 30 % less/)
    driver.run(4000, () => well)
    expect(driver.row('a')).toMatchObject({ weight: 100, restricted: false, overload: undefined })
  })

  it('is not believed by an old sequence, and takes it back with validity 0', () => {
    const driver = new PoolDriver('a', 'b')
    const ask = (value: number, seq: number, validityMs = 60_000) =>
      driver.load('a', value / 100, { source: 'oc', overload: { algorithm: 'loss', value, seq, validityMs } })
    ask(30, 2)
    ask(80, 1)
    expect(driver.row('a')?.overload?.value).toBe(30)
    ask(30, 3, 0)
    expect(driver.row('a')?.overload).toBeUndefined()
  })

  it('is out as long as it asks for by Retry-After while it refuses everything, and then grows', () => {
    const driver = new PoolDriver('a', 'b', 'c')
    driver.run(10_000, () => well)
    const fresh = { accepted: 0, failed: 4, failedLater: 0 }
    driver.traffic('i1', report('a', 4, { unavailable: 4 }, { fresh, retryAfterMs: 20_000 }))
    driver.weigh()
    expect(driver.table.proxies[0]).toMatchObject({ state: 'ejected', weight: 0 })
    expect(driver.table.proxies[0]?.reason).toMatch(/out for 20 s: .*Retry-After/)
    driver.run(19_000, () => well)
    expect(driver.row('a')?.state).toBe('ejected')
    driver.run(2000, () => well)
    expect(driver.row('a')?.state).toBe('recovering')
  })

  it('tells of a drain how many dialogs are left, and when they are likely to be done', () => {
    const driver = new PoolDriver('a', 'b')
    driver.run(5000, () => ({ ...well, dialogs: 80 }))
    driver.pool.put(recordOf('a', { adminState: 'draining' }), driver.now)
    const began = driver.now
    driver.run(60_000, (id, now) => ({
      ...well,
      dialogs: id === 'a' ? Math.round(80 * 2 ** (-(now - began) / 30_000)) : 80,
    }))
    expect(driver.row('a')?.drain?.dialogs).toBe(20)
    // Half of them go in 30 s: a time constant of 43 s, and ln 20 + 1 of them.
    expect(driver.row('a')?.drain?.doneInMs).toBeGreaterThan(150_000)
    expect(driver.row('a')?.drain?.doneInMs).toBeLessThan(200_000)
  })
})

describe('the beginnings of new requests', () => {
  it('tell at once of a proxy that refuses everything, though calls that it took before still end well', () => {
    const driver = new PoolDriver('a', 'b', 'c', 'd')
    driver.run(10_000, () => well)
    const refusing = report(
      'a',
      5,
      { unavailable: 5, success: 5 },
      { fresh: { accepted: 0, failed: 5, failedLater: 0 } },
    )
    for (let i = 0; i < 4; i++) {
      driver.now += 250
      driver.traffic('i1', refusing)
      driver.weigh()
    }
    expect(driver.weight('a')).toBeLessThanOrEqual(2)
  })

  it('count against a proxy that takes them first and fails them later', () => {
    const driver = new PoolDriver('a', 'b', 'c', 'd')
    driver.run(10_000, () => well)
    const failing = report('a', 5, { serverError: 5 }, { fresh: { accepted: 5, failed: 0, failedLater: 5 } })
    for (let i = 0; i < 8; i++) {
      driver.now += 250
      driver.traffic('i1', failing)
      driver.weigh()
    }
    expect(driver.weight('a')).toBeLessThanOrEqual(2)
  })
})

it('counts that add up beyond what can be told are told as the most that can be', () => {
  const driver = new PoolDriver('a', 'b')
  const most = report('a', 1, {}, { dialogs: Number.MAX_SAFE_INTEGER, inFlight: Number.MAX_SAFE_INTEGER })
  for (const ingress of ['i1', 'i2']) driver.traffic(ingress, most)
  driver.weigh()
  expect(weightTable.safeParse(driver.table).success).toBe(true)
})

it('a proxy that answers calls but no probes is found dead by the first refused probe', () => {
  const driver = new PoolDriver('a', 'b')
  driver.run(10_000, () => ({ ...well, probeMs: 'lost' }))
  expect(driver.weights()).toEqual([100, 100])
  driver.run(1000, but('a', { probeMs: 'refused' }, { ...well, probeMs: 'lost' }))
  expect(driver.row('a')).toMatchObject({ state: 'down', weight: 0 })
})
