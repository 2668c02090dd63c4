import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { sipReceived, trafficSeen, weightsChanged, type SipMessage, type Traffic } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus, type BusScene } from './bus-scene.ts'
import { eventually } from './eventually.ts'
import { startIngress } from './ingress-under-test.ts'
import { Phone } from './phone.ts'
import { contactOf } from './scene.ts'
import { weightTable } from './weight-tables.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

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
    await using s = await onBus(nats)
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

  it('tells the 2xx of each callee once, however often they come', async () => {
    await using s = await onBus(nats)
    const messages = await listen(s)
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    for (const tag of ['desk', 'mobile', 'desk', 'mobile', 'door', 'mobile', 'door']) {
      s.px1.answer(asked, 200, { tag })
      await s.phone.next(200)
    }
    await waitFor(() => messages.length >= 4, 3000)
    await sleep(60)
    expect(messages.map(short)).toEqual(['INVITE', ...Array.from({ length: 3 }, () => '200 INVITE px1')])
  })

  it('tells CANCEL, its answer, a refusal and its ACK', async () => {
    await using s = await onBus(nats)
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
    await using s = await onBus(nats, { ingress: { publishBytes: true } })
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
    await using s = await onBus(nats, { ingress: { publish } })
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
    await using s = await onBus(nats)
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
    await using s = await onBus(nats)
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
    await using s = await onBus(nats, { pool: { proxies: [] } })
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
    await using s = await onBus(nats)
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
    await using s = await onBus(nats)
    const told = new Told(s.other)
    const rows = [{ id: 'px1', uri: s.px1.uri }]
    s.other.publish(weightsChanged, { pool: 'default' }, weightTable(rows, { epoch: 4, seq: 9 }))
    await eventually(() => told.revision(), { epoch: 4, seq: 9 })
  })

  it('tells the ingress that counts a dialog of its end, when another one has seen the BYE', async () => {
    await using s = await onBus(nats)
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
