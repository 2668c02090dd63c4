import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, spawnService, startNats, waitFor, type ServiceProcess } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { requestBytes } from './messages.ts'
import { Peer, type Heard, type Place } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf } from './scene.ts'
import { overTcp, StreamPeer } from './stream-peer.ts'

/** An ingress of two workers as real processes, with a real bus, and one proxy. */
interface Scene extends AsyncDisposable {
  readonly ingress: ServiceProcess
  readonly px: Peer
  readonly place: Place
  phone(): Promise<Phone>
  /** A phone whose datagrams come to this worker. */
  phoneAt(worker: number): Promise<Phone>
}

async function scene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const nats = stack.use(await startNats())
  const px = stack.use(await Peer.open())
  const place = { address: '127.0.0.1', port: await freePort('udp') }
  const listen = ['udp', 'tcp'].map((transport) => `${transport}://127.0.0.1:${place.port}`)
  const config = {
    instance: 'lb1',
    nats: { servers: [nats.url] },
    http: { port: 0 },
    ingress: { listen, workers: 2, drainMs: 4000 },
    pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } },
  }
  const ingress = stack.use(await spawnService('ingress', { config, readyMs: 30_000 }))
  const owned = stack.move()
  const phone = async () => owned.use(await Phone.open(place))
  const phoneAt = async (worker: number): Promise<Phone> => {
    const found = await phone()
    const asked = await answered({ px, phone: found }, 'MESSAGE')
    return workerOf(asked) === worker ? found : phoneAt(worker)
  }
  return { ...{ ingress, px, place, phone, phoneAt }, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The request as the proxy got it; only ours, for copies of others may come in between. */
function heardOf(px: Peer, callId: string, method: string): Promise<Heard> {
  const isIt = (one: Heard) => one.startLine.startsWith(`${method} `) && one.one('Call-ID') === callId
  return waitFor(() => px.heard.find(isIt), 8000, `${method} of ${callId}`)
}

async function answered({ px, phone }: { px: Peer; phone: Phone }, method: string, status = 200): Promise<Heard> {
  const { callId } = phone.ask({ method })
  const asked = await heardOf(px, callId, method)
  px.answer(asked, status, { headers: [contactOf(px)] })
  await phone.next(status)
  return asked
}

/** It stands in the branch. */
const workerOf = ({ branch }: Heard): number => Number(branch.split('.').at(-2))

interface Ready {
  readonly ready: boolean
  readonly workers: readonly { readonly state: string; readonly pid: number }[]
}

async function readiness({ httpPort }: ServiceProcess): Promise<Ready> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`)
  const said: Ready = JSON.parse(await response.text())
  expect(response.status).toBe(said.ready ? 200 : 503)
  return said
}

async function metric({ httpPort }: ServiceProcess, start: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${start}{`) || line.startsWith(`${start} `))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

async function ringing({ px }: Scene, phone: Phone) {
  const invite = phone.ask()
  const asked = await heardOf(px, invite.callId, 'INVITE')
  px.answer(asked, 180)
  await phone.next(180)
  return { invite, asked }
}

async function call(s: Scene, phone: Phone) {
  const { invite, asked } = await ringing(s, phone)
  s.px.answer(asked, 200, { headers: [contactOf(s.px)] })
  const ok = await phone.next(200)
  phone.follow(invite, ok, 'ACK')
  await heardOf(s.px, invite.callId, 'ACK')
  return { invite, asked, ok }
}

it('two workers share the calls of 64 callers; each is hung up from another port, and the figures are the sum', async () => {
  await using s = await scene()
  const phones = await Promise.all(Array.from({ length: 64 }, () => s.phone()))
  const calls = await Promise.all(phones.map((phone) => call(s, phone)))
  const shares = Map.groupBy(calls, ({ asked }) => workerOf(asked))
  expect(new Set(shares.keys())).toEqual(new Set([0, 1]))
  for (const { length } of shares.values()) expect(length).toBeGreaterThan(10)
  await eventually(() => metric(s.ingress, 'siplb_dialogs'), 64)
  await Promise.all(
    calls.map(async ({ invite, ok }, i) => {
      const other = phones[(i + 1) % phones.length]
      other?.follow(invite, ok, 'BYE')
      s.px.answer(await heardOf(s.px, invite.callId, 'BYE'), 200)
    }),
  )
  for (const phone of phones) await phone.next(200)
  // Who counts a dialog is told of its end by the bus, whichever worker saw it.
  await eventually(() => metric(s.ingress, 'siplb_dialogs'), 0)
  expect(await metric(s.ingress, 'siplb_sip_requests_total')).toBe(3 * 64)
  expect(await metric(s.ingress, 'siplb_ingress_workers')).toBe(2)
})

it('what comes to the worker that does not have its transaction goes to the one that does: a copy, CANCEL, ACK', async () => {
  await using s = await scene()
  const [one, other] = [await s.phoneAt(0), await s.phoneAt(1)]
  const { invite, asked } = await ringing(s, one)
  other.again(invite)
  await sleep(300)
  expect(s.px.heard.filter((heard) => heard.startLine.startsWith('INVITE'))).toHaveLength(1)
  other.cancel(invite)
  await other.next(200)
  const cancel = await heardOf(s.px, invite.callId, 'CANCEL')
  expect(cancel.branch).toBe(asked.branch)
  s.px.answer(asked, 487)
  const refusal = await one.next(487)
  other.acknowledge(invite, refusal)
  // Unacknowledged it would come again after 0.5 and 1.5 s (RFC 3261, 17.2.1).
  const before = one.count(487)
  await sleep(2500)
  expect(one.count(487) - before).toBeLessThan(2)
  other.cancel({ ...invite, via: other.via() })
  await other.next(481)
})

it('a request for a phone on a connection reaches it from whichever worker got it', async () => {
  await using s = await scene()
  await using phone = await StreamPeer.connect(s.place)
  const parts = overTcp(phone, { from: '<sip:alice@example.com>;tag=alice' })
  phone.send(requestBytes(parts))
  const asked = await heardOf(s.px, parts.callId ?? '', 'INVITE')
  s.px.answer(asked, 200, { headers: [contactOf(s.px)] })
  const ok = await phone.next(200)
  await using senders = new AsyncDisposableStack()
  for (let cseq = 1; cseq <= 12; cseq++) {
    const sender = senders.use(await Peer.open())
    const routes = asked.all('Record-Route').map((route) => `Route: ${route}`)
    const contact = /<([^>]*)>/.exec(asked.one('Contact'))?.[1] ?? ''
    sender.send(
      requestBytes({
        method: 'INFO',
        uri: contact,
        via: `SIP/2.0/UDP ${sender.hostPort};branch=z9hG4bKinfo${cseq}`,
        from: ok.one('To'),
        to: ok.one('From'),
        callId: ok.one('Call-ID'),
        cseq,
        headers: routes,
      }),
      s.place,
    )
    const info = await phone.next('INFO')
    expect(workerOf(info)).toBe(workerOf(asked))
    phone.answer(info, 200)
    await sender.next(200)
  }
})

it('a worker that is killed takes nothing of the other, is not missed by new calls, and comes back', async () => {
  await using s = await scene()
  const [dying, staying] = [await s.phoneAt(0), await s.phoneAt(1)]
  const established = await call(s, dying)
  const inSetUp = await ringing(s, staying)
  const toCancel = await ringing(s, staying)
  const { pid = 0 } = (await readiness(s.ingress)).workers[0] ?? {}
  process.kill(pid, 'SIGKILL')
  await waitFor(async () => !(await readiness(s.ingress)).ready, 5000, 'the parent to notice')
  await Promise.all(Array.from({ length: 32 }, async () => answered({ px: s.px, phone: await s.phone() }, 'MESSAGE')))
  s.px.answer(inSetUp.asked, 200, { headers: [contactOf(s.px)] })
  staying.follow(inSetUp.invite, await staying.next(200), 'ACK')
  await heardOf(s.px, inSetUp.invite.callId, 'ACK')
  dying.follow(established.invite, established.ok, 'BYE')
  s.px.answer(await heardOf(s.px, established.invite.callId, 'BYE'), 200)
  await dying.next(200)

  await waitFor(async () => (await readiness(s.ingress)).ready, 20_000, 'the worker to come back')
  expect(await metric(s.ingress, 'siplb_ingress_worker_restarts_total')).toBe(1)
  // Most source ports moved: from eight of them at least one comes to the wrong worker.
  for (let i = 0; i < 8; i++) (await s.phone()).again(toCancel.invite)
  const others = await Promise.all(Array.from({ length: 8 }, () => s.phone()))
  for (const other of others) other.cancel(toCancel.invite)
  // Whose CANCEL came first is answered; the others are copies of it.
  await Promise.any(others.map((other) => other.next(200)))
  await heardOf(s.px, toCancel.invite.callId, 'CANCEL')
  s.px.answer(toCancel.asked, 487)
  await staying.next(487)
  expect(s.px.countNew('INVITE')).toBe(3)
  const back = await s.phoneAt(0)
  await call(s, back)
}, 60_000)

it('SIGTERM drains all workers: the call in set-up comes through, and the process ends with 0', async () => {
  await using s = await scene()
  const phones = [await s.phoneAt(0), await s.phoneAt(1)]
  const calls = await Promise.all(phones.map(async (phone) => ({ phone, ...(await ringing(s, phone)) })))
  s.ingress.kill('SIGTERM')
  await waitFor(async () => !(await readiness(s.ingress)).ready, 5000, 'readyz to say no')
  for (const { phone, invite, asked } of calls) {
    s.px.answer(asked, 200, { headers: [contactOf(s.px)] })
    phone.follow(invite, await phone.next(200), 'ACK')
    await heardOf(s.px, invite.callId, 'ACK')
  }
  expect(await s.ingress.exited).toBe(0)
}, 60_000)

it('workers whose parent is killed end by themselves', async () => {
  await using s = await scene()
  const { workers } = await readiness(s.ingress)
  s.ingress.kill('SIGKILL')
  const isAlive = ({ pid }: { pid: number }) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  await waitFor(() => !workers.some(isAlive), 10_000, 'the workers to end')
})
