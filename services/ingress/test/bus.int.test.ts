import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import {
  explainQuestion,
  routeQuestion,
  sipReceived,
  tableSnapshot,
  trafficSeen,
  weightsChanged,
  weightsTable,
  type RouteReply,
  type SipMessage,
  type Traffic,
  type WeightTable,
} from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { connectBus, startIngress, type IngressUnderTest } from './ingress-under-test.ts'
import { Phone } from './phone.ts'
import { contactOf, scene, type Scene, type SceneSettings } from './scene.ts'
import { weightTable } from './weight-tables.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

let scenes = 0

interface BusScene extends Scene {
  /** Somebody else on the bus. */
  readonly other: Bus
  readonly prefix: string
}

async function onBus(settings: SceneSettings = {}): Promise<BusScene> {
  const prefix = `bus-${(scenes += 1)}`
  await using stack = new AsyncDisposableStack()
  const other = await connectBus('other', 'other1', nats.url, prefix)
  stack.defer(() => other.close())
  const s = stack.use(await scene({ nats: nats.url, prefix, ...settings }))
  const owned = stack.move()
  return { ...s, other, prefix, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

interface Location {
  readonly callIds: string[]
}

/** A location that sends everything where the test says; resolves when the ingress hears it. */
async function locate(s: BusScene, answer: (id: string) => RouteReply['answers'][number] | 'hang'): Promise<Location> {
  const location: Location = { callIds: [] }
  s.other.serve(routeQuestion, {}, async ({ requests }) => {
    for (const { callId } of requests) location.callIds.push(callId)
    const answers = requests.map(({ id }) => answer(id))
    if (answers.includes('hang')) await new Promise(() => {})
    return { location: 'location-1', answers: answers.filter((one) => one !== 'hang') }
  })
  const isServed = () =>
    s.other.request(routeQuestion, {}, { ingress: 'test', requests: [] }, 1000).then(Boolean, () => false)
  await waitFor(isServed, 3000, 'location')
  return location
}

const toPx2 = (s: Scene) => (id: string) => ({
  ...{ outcome: 'routed' as const, id, pool: 'default', epoch: 1, seq: 1, policy: 'least-work' as const },
  pick: 'first' as const,
  candidates: [{ proxy: 'px2', uri: s.px2.uri, weight: 1 }],
})

describe.concurrent('rule 33: location', () => {
  it('is asked, and what it says is done', async () => {
    await using s = await onBus()
    const location = await locate(s, toPx2(s))
    const { callId } = s.phone.ask()
    await s.px2.next('INVITE')
    expect(location.callIds).toEqual([callId])
    expect(await s.lb.metric('siplb_route_decisions_total', { source: 'location', proxy: 'px2' })).toBe(1)
    expect(s.px1.heard).toEqual([])
  })

  it('gives 404 and 503 too', async () => {
    await using s = await onBus()
    let outcome: 'no-pool' | 'no-proxy' = 'no-pool'
    await locate(s, (id) => ({ outcome, id }))
    s.phone.ask()
    await s.phone.next(404)
    outcome = 'no-proxy'
    s.phone.ask()
    expect(Number((await s.phone.next(503)).one('Retry-After'))).toBeGreaterThanOrEqual(5)
  })

  it('that hangs is waited for no longer than the budget: then the last table decides', async () => {
    await using s = await onBus()
    await locate(s, () => 'hang')
    const askedAt = performance.now()
    s.phone.ask()
    expect((await s.px1.next('INVITE')).at - askedAt).toBeLessThan(400)
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'timeout' })).toBe(1)
  })

  it('that is not there costs no wait', async () => {
    await using s = await onBus({ ingress: { routeTimeoutMs: 1000 } })
    const askedAt = performance.now()
    s.phone.ask()
    expect((await s.px1.next('INVITE')).at - askedAt).toBeLessThan(500)
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'no-responders' })).toBe(1)
  })

  it('is not asked for requests of a dialog, nor for CANCEL', async () => {
    await using s = await onBus()
    const location = await locate(s, toPx2(s))
    const invite = s.phone.ask()
    const asked = await s.px2.next('INVITE')
    s.px2.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.px2.next('CANCEL')
    s.px2.answer(asked, 200, { headers: [contactOf(s.px2)] })
    await s.phone.next(200)
    const ok = await s.phone.next(200)
    s.phone.follow(invite, ok, 'ACK')
    await s.px2.next('ACK')
    s.phone.follow(invite, ok, 'BYE')
    await s.px2.next('BYE')
    expect(location.callIds).toEqual([invite.callId])
  })

  it('leaves the last pick to the ingress: the one with the least work that it has outstanding itself', async () => {
    await using s = await onBus()
    await locate(s, (id) => ({
      ...toPx2(s)(id),
      pick: 'least-work',
      candidates: [
        { proxy: 'px1', uri: s.px1.uri, weight: 1 },
        { proxy: 'px2', uri: s.px2.uri, weight: 1 },
      ],
    }))
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const second = s.phone.ask()
    expect((await s.px2.next('INVITE')).one('Call-ID')).toBe(second.callId)
    // A 100 is answer enough: from there on it rings, and that is no work.
    s.px1.answer(asked, 100)
    await sleep(50)
    const third = s.phone.ask()
    expect((await s.px1.next('INVITE')).one('Call-ID')).toBe(third.callId)
  })
})

describe.concurrent('rule 34: what comes again', () => {
  it('is not asked about again', async () => {
    await using s = await onBus()
    const location = await locate(s, toPx2(s))
    const invite = s.phone.ask()
    s.phone.again(invite)
    s.px2.answer(await s.px2.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.again(invite)
    await s.phone.next(180)
    expect(location.callIds).toEqual([invite.callId])
  })

  it('is not asked about again while location still thinks, and a 100 comes in time (rule 2)', async () => {
    await using s = await onBus({ ingress: { routeTimeoutMs: 1000 } })
    const location = await locate(s, () => 'hang')
    const askedAt = performance.now()
    const invite = s.phone.ask()
    expect((await s.phone.next(100)).at - askedAt).toBeLessThan(400)
    s.phone.again(invite)
    await s.phone.next(100)
    await s.px1.next('INVITE')
    expect(location.callIds).toEqual([invite.callId])
    expect(s.px1.count('INVITE')).toBe(1)
  })
})

it('rule 9: a CANCEL that comes before location has answered ends the call, and nobody is asked', async () => {
  await using s = await onBus({ ingress: { routeTimeoutMs: 300 } })
  await locate(s, () => 'hang')
  const invite = s.phone.ask()
  await s.phone.next(100)
  s.phone.cancel(invite)
  await s.phone.next(200)
  s.phone.acknowledge(invite, await s.phone.next(487))
  await sleep(400)
  expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
})

describe.concurrent('without NATS', () => {
  it('calls go on as soon as it is gone, and location is asked again when it is back', async () => {
    await using own = await startNats()
    await using s = await scene({ nats: own.url })
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
    await own.kill()
    await waitFor(() => !s.lb.bus.isConnected(), 5000, 'the ingress to notice')
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200)
    await s.phone.next(200)
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'disconnected' })).toBe(1)
    await own.restart()
    await waitFor(() => s.lb.bus.isConnected(), 5000, 'the ingress to be back')
    s.phone.ask()
    await s.px1.next('INVITE')
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'no-responders' })).toBe(2)
  })
})

describe.concurrent('the weight table', () => {
  const table = (s: Scene, first: 'px1' | 'px2', parts: Partial<WeightTable> = {}) =>
    weightTable(
      [
        { id: 'px1', uri: s.px1.uri, tier: first === 'px1' ? 1 : 2 },
        { id: 'px2', uri: s.px2.uri, tier: first === 'px2' ? 1 : 2 },
      ],
      parts,
    )

  async function expectCallAt(s: Scene, proxy: 'px1' | 'px2', lb: IngressUnderTest = s.lb): Promise<void> {
    await using phone = await Phone.open(lb.place)
    phone.ask({ method: 'MESSAGE' })
    s[proxy].answer(await s[proxy].next('MESSAGE'), 200)
    await phone.next(200)
  }

  /** Long enough for what was said to be heard. */
  const heard = (s: BusScene) => sleep(100).then(() => s.other.isConnected())

  it('is taken from the store, and from what the weigher says', async () => {
    await using s = await onBus()
    await expectCallAt(s, 'px1')
    const store = s.other.table(weightsTable, 'owner')
    await store.put('default', table(s, 'px2'))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000, 'the table in the store')
    await expectCallAt(s, 'px2')
    s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px1', { seq: 2 }))
    await waitFor(() => s.lb.revision('default')?.seq === 2, 3000, 'the event')
    await expectCallAt(s, 'px1')
    s.other.publish(tableSnapshot, { pool: 'default' }, table(s, 'px2', { seq: 3 }))
    await waitFor(() => s.lb.revision('default')?.seq === 3, 3000, 'the snapshot')
    await expectCallAt(s, 'px2')
  })

  it('never goes back within an epoch, and a higher epoch always wins', async () => {
    await using s = await onBus()
    const say = async (given: WeightTable) => {
      s.other.publish(weightsChanged, { pool: 'default' }, given)
      await heard(s)
    }
    await say(table(s, 'px2', { epoch: 3, seq: 7 }))
    await say(table(s, 'px1', { epoch: 3, seq: 6 }))
    await say(table(s, 'px1', { epoch: 2, seq: 99 }))
    await expectCallAt(s, 'px2')
    await say(table(s, 'px1', { epoch: 4, seq: 1 }))
    await expectCallAt(s, 'px1')
  })

  it('of a pool that is not in the file is nobody’s', async () => {
    await using s = await onBus()
    s.other.publish(weightsChanged, { pool: 'other' }, table(s, 'px2', { pool: 'other' }))
    await heard(s)
    expect(s.lb.revision('other')).toBeUndefined()
    await expectCallAt(s, 'px1')
  })

  it('under the name of another pool is none: who may speak for one may not for all', async () => {
    await using s = await onBus()
    s.other.publish(weightsChanged, { pool: 'other' }, table(s, 'px2', { epoch: 9 }))
    await heard(s)
    expect(s.lb.revision('default')).toEqual({ epoch: 0, seq: 0 })
  })

  it('stays over a reload of the file, which only counts for pools of which nothing was heard', async () => {
    await using s = await onBus()
    s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px2'))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    await expectCallAt(s, 'px2')
  })

  it('is kept on disk: a cold start without a bus goes by it', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'siplb-ingress-'))
    try {
      const pools = async () => {
        await using s = await onBus({ stateDir })
        s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px2', { epoch: 5, seq: 3 }))
        await waitFor(() => s.lb.revision('default')?.epoch === 5, 3000)
        await expectCallAt(s, 'px2')
        // The same proxies, px1 first as the file has it.
        await using cold = await startIngress({
          stateDir,
          pools: { default: { proxies: [s.px1, s.px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri, tier: i + 1 })) } },
        })
        expect(cold.revision('default')).toEqual({ epoch: 5, seq: 3 })
        await expectCallAt(s, 'px2', cold)
      }
      await pools()
    } finally {
      await rm(stateDir, { recursive: true })
    }
  })

  it('that says a proxy is down moves what rings there to another one', async () => {
    await using s = await onBus()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    const [first, ...others] = table(s, 'px1').proxies
    const down = first === undefined ? [] : [{ ...first, state: 'down' as const, weight: 0 }]
    s.other.publish(weightsChanged, { pool: 'default' }, { ...table(s, 'px1'), proxies: [...down, ...others] })
    s.px2.answer(await s.px2.next('INVITE'), 200)
    await s.phone.next(200)
  })

  it('that says again that a proxy is down does not disturb what was sent there since', async () => {
    await using s = await onBus()
    const { invite, ok } = await s.call()
    const down = (seq: number) => ({
      ...table(s, 'px1', { seq }),
      proxies: table(s, 'px1').proxies.map((row) =>
        row.id === 'px1' ? { ...row, state: 'down' as const, weight: 0 } : row,
      ),
    })
    s.other.publish(weightsChanged, { pool: 'default' }, down(1))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000)
    s.phone.follow(invite, ok, 'BYE')
    const bye = await s.px1.next('BYE')
    s.other.publish(weightsChanged, { pool: 'default' }, down(2))
    await waitFor(() => s.lb.revision('default')?.seq === 2, 3000)
    s.px1.answer(bye, 200)
    await s.phone.next(200)
    expect(s.phone.count(503)).toBe(0)
  })
})

describe.concurrent('evt.sip.received', () => {
  async function listen(s: BusScene): Promise<SipMessage[]> {
    const messages: SipMessage[] = []
    s.other.subscribe(sipReceived, {}, ({ data }) => messages.push(data))
    await sleep(50)
    return messages
  }

  const short = ({ kind, method, status, proxy }: SipMessage) =>
    [kind === 'request' ? method : status, ...(kind === 'response' ? [method] : []), ...(proxy ? [proxy] : [])].join(
      ' ',
    )

  it('tells every message of a call, each once', async () => {
    await using s = await onBus()
    const messages = await listen(s)
    const invite = s.phone.ask()
    s.phone.again(invite)
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.again(invite)
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    const ok = await s.phone.next(200)
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    await s.phone.next(200)
    s.phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    await s.phone.next(200)
    await waitFor(() => messages.length >= 6, 3000)
    await sleep(60)
    expect(messages.map(short)).toEqual(['INVITE', '180 INVITE px1', '200 INVITE px1', 'ACK', 'BYE', '200 BYE px1'])
  })

  it('tells CANCEL, its answer, a refusal and its ACK', async () => {
    await using s = await onBus()
    const messages = await listen(s)
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    await sleep(30)
    s.px1.answer(asked, 487)
    const refusal = await s.phone.next(487)
    s.phone.acknowledge(invite, refusal)
    s.phone.acknowledge(invite, refusal)
    await waitFor(() => messages.length >= 6, 3000)
    await sleep(60)
    expect(messages.map(short)).toEqual([
      'INVITE',
      '180 INVITE px1',
      'CANCEL',
      '200 CANCEL px1',
      '487 INVITE px1',
      'ACK',
    ])
  })

  it('says who, to whom and from where, and holds the message where the operator wants it', async () => {
    await using s = await onBus({ ingress: { publishBytes: true } })
    const messages = await listen(s)
    const { callId } = s.phone.ask({ from: '"A" <sip:alice@example.com>;tag=a', uri: 'sip:bob@example.com;x=1' })
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486)
    await waitFor(() => messages.length >= 2, 3000)
    const common = { callId, from: 'sip:alice@example.com', to: 'sip:bob@example.com', transport: 'udp' }
    expect(messages).toEqual([
      {
        ...{ ...common, kind: 'request', method: 'INVITE', requestUri: 'sip:bob@example.com;x=1' },
        ...{ source: s.phone.peer.hostPort, bytes: expect.any(String) },
      },
      {
        ...{ ...common, kind: 'response', method: 'INVITE', status: 486 },
        ...{ source: s.px1.hostPort, pool: 'default', proxy: 'px1', bytes: expect.any(String) },
      },
    ])
    const [first] = messages
    expect(Buffer.from(first?.bytes ?? '', 'base64').toString('latin1')).toMatch(/^INVITE sip:bob@example\.com;x=1 SIP/)
  })

  it.each([
    { publish: 'requests' as const, told: ['MESSAGE'] },
    { publish: 'none' as const, told: [] },
  ])('holds what the operator wants told: $publish', async ({ publish, told }) => {
    await using s = await onBus({ ingress: { publish } })
    const messages = await listen(s)
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
    await sleep(150)
    expect(messages.map(short)).toEqual(told)
  })
})

describe.concurrent('evt.traffic', () => {
  type Row = Traffic['proxies'][number]

  /** What was told of a proxy so far: counts added up, states as they are now. */
  class Told {
    readonly events: Traffic[] = []

    constructor(bus: Bus) {
      bus.subscribe(trafficSeen, { pool: 'default' }, ({ data }) => this.events.push(data))
    }

    revision(): { epoch: number; seq: number } | undefined {
      const { epoch, seq } = this.events.at(-1) ?? {}
      return epoch === undefined || seq === undefined ? undefined : { epoch, seq }
    }

    rows(proxy: string): Row[] {
      return this.events.flatMap(({ proxies }) => proxies.filter((row) => row.proxy === proxy))
    }

    requests(proxy: string): number {
      return this.rows(proxy).reduce((sum, { requests }) => sum + requests, 0)
    }

    outcomes(proxy: string): Partial<Row['outcomes']> {
      const entries = this.rows(proxy).flatMap(({ outcomes }) => Object.entries(outcomes))
      const sums = Object.groupBy(entries, ([name]) => name)
      const added = Object.entries(sums).map(
        ([name, all]) => [name, (all ?? []).reduce((sum, [, n]) => sum + n, 0)] as const,
      )
      return Object.fromEntries(added.filter(([, n]) => n > 0))
    }

    responses(proxy: string, method: string): number {
      return this.rows(proxy).reduce((sum, { responseTimes }) => sum + (responseTimes[method]?.count ?? 0), 0)
    }

    now(proxy: string): Pick<Row, 'inFlight' | 'work' | 'dialogs'> | undefined {
      const row = this.rows(proxy).at(-1)
      return row === undefined ? undefined : { inFlight: row.inFlight, work: row.work, dialogs: row.dialogs }
    }
  }

  it('tells what is outstanding, and what became of it', async () => {
    await using s = await onBus()
    const told = new Told(s.other)
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    await eventually(() => told.now('px1'), { inFlight: 1, work: 1, dialogs: 0 })
    s.px1.answer(asked, 180)
    await eventually(() => told.now('px1'), { inFlight: 1, work: 0, dialogs: 0 })
    s.px1.answer(asked, 200)
    await eventually(() => told.now('px1'), { inFlight: 0, work: 0, dialogs: 1 })
    expect([told.requests('px1'), told.outcomes('px1'), told.requests('px2')]).toEqual([1, { success: 1 }, 0])
    expect(told.events[0]).toMatchObject({ ingress: 'lb1', intervalMs: 250, epoch: 0, seq: 0, dialogsEnded: [] })
  })

  it('tells each attempt at its own proxy', async () => {
    await using s = await onBus()
    const told = new Told(s.other)
    await sleep(50)
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 503)
    s.px2.answer(await s.px2.next('INVITE'), 486)
    await s.phone.next(486)
    await eventually(() => told.outcomes('px2'), { refusal: 1 })
    expect([told.outcomes('px1'), told.requests('px1'), told.requests('px2')]).toEqual([{ unavailable: 1 }, 1, 1])
    expect([told.responses('px1', 'INVITE'), told.responses('px2', 'INVITE')]).toEqual([1, 1])
  })

  it('leaves out the response time of a request that was sent twice, for nobody knows which one was answered', async () => {
    await using s = await onBus({ pool: { proxies: [] } })
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    const told = new Told(s.other)
    await sleep(50)
    s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
    await eventually(() => told.outcomes('px1'), { success: 1 })
    expect(told.responses('px1', 'MESSAGE')).toBe(0)
  })

  it('counts only new requests as such, and peers who ask how we are not at all', async () => {
    await using s = await onBus()
    const told = new Told(s.other)
    await sleep(50)
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    await s.phone.next(200)
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(200)
    await eventually(() => told.outcomes('px1'), { success: 2 })
    expect(told.requests('px1')).toBe(1)
  })

  it('names the table that the ingress chooses by', async () => {
    await using s = await onBus()
    const told = new Told(s.other)
    const rows = [{ id: 'px1', uri: s.px1.uri }]
    s.other.publish(weightsChanged, { pool: 'default' }, weightTable(rows, { epoch: 4, seq: 9 }))
    await eventually(() => told.revision(), { epoch: 4, seq: 9 })
  })

  it('tells the ingress that counts a dialog of its end, when another one has seen the BYE', async () => {
    await using s = await onBus()
    const told = new Told(s.other)
    const { invite, ok } = await s.call()
    await eventually(() => told.now('px1')?.dialogs, 1)
    const proxies = [{ id: 'px1', uri: s.px1.uri }]
    const second = { instance: 'lb2', nats: nats.url, prefix: s.prefix, pools: { default: { proxies } } }
    await using other = await startIngress(second)
    await using phone = await Phone.open(other.place)
    const routes = ok.all('Record-Route').map((route) => `Route: ${route.replace(s.lb.hostPort, other.hostPort)}`)
    phone.ask({ ...invite, method: 'BYE', cseq: 2, via: phone.via(), to: ok.one('To'), headers: routes })
    s.px1.answer(await s.px1.next('BYE'), 200)
    await phone.next(200)
    await eventually(() => s.lb.metric('siplb_dialogs'), 0)
  })
})

it('a fault of ours in one request hurts no other, nor the process', async () => {
  let decisions = 0
  const onDecision = () => {
    decisions += 1
    if (decisions === 1) throw new Error('broken on purpose')
  }
  await using s = await onBus({ onDecision })
  await locate(s, toPx2(s))
  const bad = s.phone.ask({ method: 'MESSAGE' })
  const good = s.phone.ask({ method: 'MESSAGE' })
  expect((await s.px2.next('MESSAGE')).one('Call-ID')).toBe(good.callId)
  expect((await s.phone.next(500)).one('Call-ID')).toBe(bad.callId)
  expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'error' })).toBe(1)
})

it('who asks why a call went where it went is told', async () => {
  await using s = await onBus()
  await locate(s, toPx2(s))
  const { callId } = s.phone.ask()
  s.px2.answer(await s.px2.next('INVITE'), 486)
  await s.phone.next(486)
  const { decisions } = await s.other.request(explainQuestion, {}, { callId }, 1000)
  expect(decisions).toMatchObject([
    {
      ...{ callId, method: 'INVITE', ingress: 'lb1', source: 'location', pool: 'default', epoch: 1, seq: 1 },
      candidates: [{ proxy: 'px2' }],
      tried: [{ proxy: 'px2', outcome: 'refusal' }],
    },
  ])
})
