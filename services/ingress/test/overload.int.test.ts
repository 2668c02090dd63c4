import { setTimeout as sleep } from 'node:timers/promises'
import { loadReported, trafficSeen, type Load, type Traffic } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AskingProxy } from './asking-proxy.ts'
import { eventually } from './eventually.ts'
import { connectBus, startIngress, type IngressSettings, type IngressUnderTest } from './ingress-under-test.ts'
import type { RequestParts } from './messages.ts'
import { Phone } from './phone.ts'
import { fromCallee, scene } from './scene.ts'

const announced = ';oc;oc-algo="loss"'

interface Asked extends AsyncDisposable {
  readonly lb: IngressUnderTest
  readonly px1: AskingProxy
  readonly px2: AskingProxy
  readonly phone: Phone
  /** So many requests, few at a time; how many of them each proxy got, and how many were refused. */
  send(count: number, parts?: RequestParts): Promise<{ px1: number; px2: number; refused: number }>
}

/** Two proxies of one tier, drawn in turn. */
async function asked(pool: object = {}, settings: Partial<IngressSettings> = {}): Promise<Asked> {
  await using stack = new AsyncDisposableStack()
  const px1 = stack.use(await AskingProxy.open())
  const px2 = stack.use(await AskingProxy.open())
  const proxies = [
    { id: 'px1', uri: px1.uri },
    { id: 'px2', uri: px2.uri },
  ]
  const pools = { default: { policy: 'smooth-round-robin', proxies, ...pool } }
  const lb = stack.use(await startIngress({ pools, ...settings }))
  const phone = stack.use(await Phone.open(lb.place))
  const owned = stack.move()
  return {
    ...{ lb, px1, px2, phone },
    async send(count, parts = {}) {
      const before = [px1.taken.length, px2.taken.length, phone.count(503)] as const
      const known = phone.peer.heard.length
      for (let sent = 0; sent < count; sent += 8) {
        for (let i = sent; i < Math.min(sent + 8, count); i++) phone.ask({ method: 'MESSAGE', ...parts })
        const wanted = known + Math.min(sent + 8, count)
        await waitFor(() => phone.peer.heard.length >= wanted, 5000, 'answers')
      }
      const [one, two, refused] = before
      return { px1: px1.taken.length - one, px2: px2.taken.length - two, refused: phone.count(503) - refused }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe.concurrent('overload control is announced (RFC 7339, 4.1)', () => {
  it('to proxies, in the same Via from INVITE to CANCEL and the ACK of a refusal', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const first = await s.px1.next('INVITE')
    expect(first.all('Via')[0]).toContain(announced)
    s.px1.answer(first, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    const cancel = await s.px1.next('CANCEL')
    s.px1.answer(cancel, 200)
    s.px1.answer(first, 487)
    const ack = await s.px1.next('ACK')
    expect([cancel.all('Via'), ack.all('Via')]).toEqual([[first.one('Via')], [first.one('Via')]])
  })

  it('in dialogs too, but not to callers', async () => {
    await using s = await scene()
    const call = await s.call()
    expect(call.ack.one('Via')).toContain(announced)
    s.px1.send(fromCallee(call, 'BYE', s.px1), s.lb.place)
    expect((await s.phone.next('BYE')).one('Via')).not.toContain(';oc')
  })

  it('not where the pool does not want it, and what a proxy asks for unasked is not obeyed', async () => {
    await using s = await asked({ overload: { control: false } })
    s.px1.asks = ';oc=100;oc-algo="loss";oc-validity=60000;oc-seq=1.0'
    expect(await s.send(8)).toEqual({ px1: 4, px2: 4, refused: 0 })
    expect(s.px1.taken[0]?.one('Via')).not.toContain(';oc')
  })
})

describe('what a proxy asks for in its responses', () => {
  it.each(['smooth-round-robin', 'least-work'])(
    'leaves out 30 percent of its requests, by %s',
    async (policy) => {
      await using s = await asked({ policy })
      s.px1.asks = ';oc=30;oc-algo="loss";oc-validity=60000'
      await s.send(8)
      const { px1, px2, refused } = await s.send(2400)
      expect([px1 + px2, refused]).toEqual([2400, 0])
      expect(Math.abs(1 - px1 / 1200 - 0.3)).toBeLessThan(0.03)
      const diverted = await s.lb.metric('siplb_overload_diverted_total', { proxy: 'px1' })
      expect(Math.abs(diverted - (1200 - px1))).toBeLessThan(12)
    },
    60_000,
  )

  it('runs out, and is ended by a validity of 0', async () => {
    await using s = await asked()
    s.px1.asks = ';oc=100;oc-algo="loss";oc-validity=60000;oc-seq=1.0'
    await s.send(8)
    s.px1.asks = undefined
    expect(await s.send(20)).toEqual({ px1: 0, px2: 20, refused: 0 })
    s.lb.skip(60_000)
    expect(await s.send(20)).toEqual({ px1: 10, px2: 10, refused: 0 })
    s.px1.asks = ';oc=50;oc-algo="loss";oc-validity=60000;oc-seq=2.0'
    await s.send(8)
    s.px1.asks = ';oc=50;oc-algo="loss";oc-validity=0;oc-seq=3.0'
    await s.send(8)
    expect(await s.send(20)).toEqual({ px1: 10, px2: 10, refused: 0 })
  }, 30_000)

  it('is not what an older response says, nor a malformed one', async () => {
    await using s = await asked()
    s.px1.asks = ';oc=50;oc-algo="loss";oc-validity=60000;oc-seq=1282321615.782'
    await s.send(8)
    for (const old of ['oc=0;oc-seq=1282321615.781', 'oc=0;oc-seq=1282321615.782', 'oc=0;oc-seq=9.', 'oc=x']) {
      s.px1.asks = `;${old};oc-algo="loss"`
      await s.send(8)
    }
    const { px1 } = await s.send(200)
    expect(Math.abs(px1 - 50)).toBeLessThanOrEqual(3)
    expect(await s.lb.metric('siplb_overload_ignored_total', { why: 'old' })).toBeGreaterThan(1)
    expect(await s.lb.metric('siplb_overload_ignored_total', { why: 'malformed' })).toBeGreaterThan(1)
  }, 30_000)

  it('may be a rate, which is not passed', async () => {
    await using s = await asked()
    s.px1.asks = ';oc=20;oc-algo="rate";oc-validity=60000;oc-seq=1.0'
    await s.send(8)
    const startedAt = performance.now()
    let px1 = 0
    while (performance.now() - startedAt < 2000) px1 += (await s.send(16)).px1
    const seconds = (performance.now() - startedAt) / 1000
    expect(px1).toBeLessThanOrEqual(20 * seconds + 8)
    expect(px1).toBeGreaterThan(20 * seconds * 0.8)
  }, 30_000)
})

describe('when all proxies ask for less', () => {
  const half = ';oc=50;oc-algo="loss";oc-validity=60000;oc-seq=1.0'

  async function allAsk(shed: boolean, trusted: string[] = []): Promise<Asked> {
    const s = await asked({ overload: { shed } }, { ingress: { trusted } })
    s.px1.asks = s.px2.asks = half
    await s.send(8)
    return s
  }

  it('so many new requests are refused, statefully and without Retry-After', async () => {
    await using s = await allAsk(true)
    const { px1, px2, refused } = await s.send(400)
    expect(Math.abs(refused - 200)).toBeLessThanOrEqual(4)
    expect(Math.abs(px1 - px2)).toBeLessThan(60)
    expect((await s.phone.next(503)).all('Retry-After')).toEqual([])
    expect(await s.lb.metric('siplb_shed_total', { class: 'untrusted' })).toBeGreaterThan(190)
    const servers = await s.send(20, { method: 'INVITE' })
    expect(servers.refused).toBeGreaterThan(5)
  }, 30_000)

  it('none is refused where the pool leaves that to the proxies', async () => {
    await using s = await allAsk(false)
    expect(await s.send(40)).toMatchObject({ refused: 0 })
  }, 30_000)

  it('those of untrusted sources are refused first, emergency calls never', async () => {
    await using s = await allAsk(true, ['127.0.0.2/32'])
    await using trusted = await Phone.open(s.lb.place, '127.0.0.2')
    for (let i = 0; i < 200; i++) {
      await s.send(1)
      await s.send(1, { uri: 'urn:service:sos.fire' })
      trusted.ask({ method: 'MESSAGE' })
      await waitFor(() => trusted.peer.heard.length > i, 5000, 'an answer')
    }
    // Half of all is more than the untrusted third: the rest is taken from the trusted.
    expect(s.phone.count(503)).toBeGreaterThan(185)
    expect(Math.abs(trusted.count(503) - 100)).toBeLessThan(20)
    expect(
      s.px1.taken.concat(s.px2.taken).filter(({ requestUri }) => requestUri === 'urn:service:sos.fire'),
    ).toHaveLength(200)
    expect(await s.lb.metric('siplb_shed_total', { class: 'emergency' })).toBe(0)
  }, 60_000)

  it('requests of a dialog go on', async () => {
    await using s = await asked({}, { ingress: { trusted: [] } })
    const headers = ['Contact: <sip:bob@127.0.0.1:9>']
    s.px1.headers = s.px2.headers = headers
    const invite = s.phone.ask()
    const ok = await s.phone.next(200)
    s.px1.asks = s.px2.asks = ';oc=100;oc-algo="loss";oc-validity=60000;oc-seq=1.0'
    await s.send(4)
    expect(await s.send(4)).toEqual({ px1: 0, px2: 0, refused: 4 })
    s.phone.follow(invite, ok, 'BYE')
    const taken = () => s.px1.taken.concat(s.px2.taken)
    await waitFor(() => taken().some(({ startLine }) => startLine.startsWith('BYE')), 3000, 'the BYE')
  }, 30_000)
})

it('a call to an emergency service reaches a proxy with its Request-URI as it was', async () => {
  await using s = await scene()
  s.phone.ask({ uri: 'urn:service:sos', to: '<urn:service:sos>' })
  const asked = await s.px1.next('INVITE')
  expect([asked.requestUri, asked.one('To')]).toEqual(['urn:service:sos', '<urn:service:sos>'])
  s.px1.answer(asked, 200)
  await s.phone.next(200)
})

it('the retry budget is as configured, and as configured anew', async () => {
  const none = { perRequest: 0, perSecond: 0, leastCapacity: 0 }
  await using s = await asked({}, { retry: none })
  s.px1.status = s.px2.status = 503
  await s.send(4)
  expect(await s.lb.metric('siplb_failovers_total')).toBe(0)
  const proxies = [
    { id: 'px1', uri: s.px1.uri },
    { id: 'px2', uri: s.px2.uri },
  ]
  s.lb.reconfigure({ default: { proxies } }, { ...none, perRequest: 1, leastCapacity: 10 })
  await s.send(4)
  expect(await s.lb.metric('siplb_failovers_total')).toBe(4)
}, 30_000)

describe('on the bus', () => {
  let nats: TestNats
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats.stop())

  async function onBus(prefix: string, pool: object = {}) {
    await using stack = new AsyncDisposableStack()
    const other = await connectBus('prober', 'prober-1', nats.url, prefix)
    stack.defer(() => other.close())
    const s = stack.use(await asked(pool, { nats: nats.url, prefix, ingress: { trusted: [] } }))
    const loads: Load[] = []
    const traffic: Traffic[] = []
    other.subscribe(loadReported, { pool: 'default' }, ({ data }) => loads.push(data))
    other.subscribe(trafficSeen, { pool: 'default' }, ({ data }) => traffic.push(data))
    await sleep(100)
    const owned = stack.move()
    return { ...s, other, loads, traffic, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  const loss = (value: number, validityMs: number) => ({ algorithm: 'loss' as const, value, seq: 0, validityMs })
  const load = (proxy: string, overload: Load['overload']): Load => ({
    ...{ proxy, load: 1, source: 'oc', ageMs: 0, expiresInMs: 10_000, overload },
  })

  it('what a proxy asks for is told once, not with every response', async () => {
    await using s = await onBus('oc-told')
    s.px1.asks = ';oc=30;oc-algo="loss";oc-validity=10000'
    await s.send(40)
    await waitFor(() => s.loads.length > 0, 3000, 'a load event')
    await s.send(40)
    await sleep(150)
    expect(s.loads).toMatchObject([
      { proxy: 'px1', load: 0.3, source: 'oc', overload: { algorithm: 'loss', value: 30 } },
    ])
    s.px1.asks = ';oc=30;oc-algo="loss";oc-validity=0'
    await s.send(8)
    await eventually(() => s.loads.at(-1)?.overload?.validityMs, 0)
  }, 30_000)

  it('what others were told is obeyed, until it runs out', async () => {
    await using s = await onBus('oc-heard')
    s.other.publish(loadReported, { pool: 'default' }, load('px1', loss(100, 60_000)))
    await waitFor(async () => (await s.send(4)).px1 === 0, 3000, 'px1 is left out')
    expect(await s.send(20)).toEqual({ px1: 0, px2: 20, refused: 0 })
    s.lb.skip(60_000)
    expect(await s.send(20)).toEqual({ px1: 10, px2: 10, refused: 0 })
    expect(s.loads).toHaveLength(1)
  }, 30_000)

  it('a rate that others were told is shared by the ingresses that live', async () => {
    await using s = await onBus('oc-rate')
    const second: Traffic = {
      ...{ ingress: 'lb2', intervalMs: 250, epoch: 0, seq: 0, proxies: [], dialogsEnded: [] },
    }
    const alive = setInterval(() => s.other.publish(trafficSeen, { pool: 'default' }, second), 250)
    try {
      await waitFor(() => s.traffic.some(({ ingress }) => ingress === 'lb2'), 3000, 'a second ingress')
      const rate = { algorithm: 'rate' as const, value: 40, seq: 0, validityMs: 60_000 }
      s.other.publish(loadReported, { pool: 'default' }, load('px1', rate))
      await sleep(100)
      const startedAt = performance.now()
      let px1 = 0
      while (performance.now() - startedAt < 2000) px1 += (await s.send(16)).px1
      const seconds = (performance.now() - startedAt) / 1000
      expect(px1).toBeLessThanOrEqual(20 * seconds + 8)
      expect(px1).toBeGreaterThan(20 * seconds * 0.8)
    } finally {
      clearInterval(alive)
    }
  }, 30_000)

  it('what was shed, and the longest Retry-After of a 503, stand in the traffic that is told', async () => {
    await using s = await onBus('oc-traffic')
    s.px1.status = 503
    s.px1.headers = ['Retry-After: 7 (maintenance)']
    await s.send(4)
    const rows = () => s.traffic.flatMap(({ proxies }) => proxies)
    const told = () =>
      rows().flatMap(({ proxy, retryAfterMs }) => (retryAfterMs === undefined ? [] : [[proxy, retryAfterMs]]))
    await waitFor(() => told().length > 0, 3000, 'a Retry-After')
    expect(told()[0]).toEqual(['px1', 7000])
    for (const proxy of ['px1', 'px2'])
      s.other.publish(loadReported, { pool: 'default' }, load(proxy, loss(100, 60_000)))
    await waitFor(async () => (await s.send(4)).refused === 4, 3000, 'all is shed')
    const { refused } = await s.send(20)
    expect(refused).toBe(20)
    const shed = () => s.traffic.reduce((sum, one) => sum + (one.shed ?? 0), 0)
    await waitFor(() => shed() >= 24, 3000, 'what was shed')
  }, 30_000)
})
