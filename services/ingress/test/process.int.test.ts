import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, spawnService, waitFor, type ServiceProcess } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { Peer, type Place } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf } from './scene.ts'
import { weightTable } from './weight-tables.ts'

/** The ingress as a process of its own, with no NATS anywhere, and two proxies. */
interface Scene extends AsyncDisposable {
  readonly px1: Peer
  readonly px2: Peer
  readonly place: Place
  readonly stateDir: string
  start(env?: Readonly<Record<string, string>>): Promise<ServiceProcess>
  /** Writes the configuration file; what is left out is as usual. */
  write(changes?: object): Promise<void>
  phone(): Promise<Phone>
}

async function scene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const stateDir = await mkdtemp(join(tmpdir(), 'siplb-ingress-'))
  stack.defer(() => rm(stateDir, { recursive: true }))
  const px1 = stack.use(await Peer.open())
  const px2 = stack.use(await Peer.open())
  const place = { address: '127.0.0.1', port: await freePort('udp') }
  const file = join(stateDir, 'siplb.json')
  const proxies = [px1, px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri, tier: i + 1 }))
  const write = (changes: object = {}) => {
    const ingress = { listen: [`udp://127.0.0.1:${place.port}`], drainMs: 4000 }
    const usual = {
      nats: { servers: ['nats://127.0.0.1:1'] },
      http: { port: 0 },
      ingress,
      pools: { default: { proxies } },
    }
    return writeFile(file, JSON.stringify({ ...usual, ...changes }))
  }
  await write()
  const owned = stack.move()
  return {
    ...{ px1, px2, place, stateDir, write },
    start: async (env = {}) =>
      owned.use(await spawnService('ingress', { configFile: file, env: { SIPLB_STATE_DIR: stateDir, ...env } })),
    phone: async () => owned.use(await Phone.open(place)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function readiness({ httpPort }: ServiceProcess): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`)
  return { status: response.status, body: await response.text() }
}

/** How many log lines have this text. */
const logged = (service: ServiceProcess, text: string) => service.log().filter(({ msg }) => msg === text).length

// Each starts one process or two, and all of them at once.
describe.concurrent('the process', { timeout: 60_000 }, () => {
  it('is ready without NATS, says so, and serves', async () => {
    await using s = await scene()
    const ingress = await s.start()
    const { status, body } = await readiness(ingress)
    expect([status, JSON.parse(body)]).toMatchObject([
      200,
      { ready: true, state: 'ready', bus: expect.stringContaining('gone') },
    ])
    const phone = await s.phone()
    phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await phone.next(200)
    const metrics = await (await fetch(`http://127.0.0.1:${ingress.httpPort}/metrics`)).text()
    expect(metrics).toContain('siplb_sip_requests_total{method="MESSAGE",transport="udp"} 1')
  })

  it('starts by its disk table where there is one, and soon', async () => {
    await using s = await scene()
    const rows = [
      { id: 'px1', uri: s.px1.uri, weight: 0 },
      { id: 'px2', uri: s.px2.uri },
    ]
    await mkdir(join(s.stateDir, 'tables'))
    await writeFile(join(s.stateDir, 'tables', 'default.json'), JSON.stringify(weightTable(rows, { epoch: 5, seq: 3 })))
    await writeFile(join(s.stateDir, 'tables', 'broken.json'), '{')
    const ingress = await s.start()
    expect(JSON.parse((await readiness(ingress)).body)).toMatchObject({ tables: { default: { epoch: 5, seq: 3 } } })
    const phone = await s.phone()
    phone.ask()
    await s.px2.next('INVITE')
    const startMs = ingress.log().find(({ msg }) => msg === 'ready')?.['startMs']
    // Two seconds on a machine of its own; here the other tests take their share.
    expect(startMs).toBeLessThan(10_000)
  })

  it('goes through the UDP door that SIPLB_UDP asks for, and says which one it is', async () => {
    await using s = await scene()
    await expect(s.start({ SIPLB_UDP: 'front' })).rejects.toThrow('SIPLB_UDP is \\"front\\", but')
    const ingress = await s.start({ SIPLB_UDP: 'dgram' })
    expect(ingress.log().find(({ msg }) => msg === 'listening')).toMatchObject({ door: 'dgram' })
    const phone = await s.phone()
    phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await phone.next(200)
  })

  it('drains on SIGTERM: the call in set-up comes through with its ACK, new ones and peers hear 503', async () => {
    await using s = await scene()
    const ingress = await s.start()
    const phone = await s.phone()
    const invite = phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await phone.next(180)
    ingress.kill('SIGTERM')
    await eventually(async () => (await readiness(ingress)).status, 503)
    phone.ask({ method: 'OPTIONS', uri: `sip:127.0.0.1:${s.place.port}` })
    await phone.next(503)
    const late = phone.ask()
    phone.acknowledge(late, await phone.next(503))
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    const ok = await phone.next(200)
    // A caller takes his time; his ACK may have been lost, and come again only after another 2xx.
    await sleep(1200)
    phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
    expect(await ingress.exited).toBe(0)
    expect(s.px2.heard).toEqual([])
  })

  it('ends at once on SIGTERM when nobody is in set-up', async () => {
    await using s = await scene()
    const ingress = await s.start()
    const askedAt = performance.now()
    expect(await ingress.stop()).toBe(0)
    expect(performance.now() - askedAt).toBeLessThan(3000)
  })

  it('killed and started again goes on with the dialogs', async () => {
    await using s = await scene()
    const first = await s.start()
    const phone = await s.phone()
    const invite = phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [contactOf(s.px1)] })
    const ok = await phone.next(200)
    first.kill('SIGKILL')
    await first.exited
    await s.start()
    phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
    phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    await phone.next(200)
  })

  it('loads a changed file, on SIGHUP or by itself, keeps what it learnt, and keeps the old one when the new one is wrong', async () => {
    await using s = await scene()
    await using px3 = await Peer.open()
    const proxies = [{ id: 'px1', uri: s.px1.uri }]
    await mkdir(join(s.stateDir, 'tables'))
    await writeFile(
      join(s.stateDir, 'tables', 'default.json'),
      JSON.stringify(weightTable([{ id: 'px2', uri: s.px2.uri }], { epoch: 5 })),
    )
    const ingress = await s.start()
    const phone = await s.phone()
    const other = { match: { domain: 'other.example' }, proxies: [{ id: 'px3', uri: px3.uri }] }
    const reloads = () => logged(ingress, 'configuration reloaded')

    await s.write({ pools: { other, default: { proxies } } })
    await eventually(reloads, 1)
    phone.ask({ uri: 'sip:bob@other.example' })
    await px3.next('INVITE')
    phone.ask()
    await s.px2.next('INVITE')

    await s.write({ pools: { default: { proxys: [] } } })
    await eventually(() => logged(ingress, 'configuration not reloaded; the previous one stays'), 1)
    phone.ask({ uri: 'sip:bob@other.example' })
    await px3.next('INVITE')

    await s.write({ pools: { default: { match: { domain: 'example.com' }, proxies } } })
    ingress.kill('SIGHUP')
    await waitFor(() => reloads() >= 2, 4000)
    phone.ask({ uri: 'sip:bob@other.example' })
    await phone.next(404)
    phone.ask()
    await s.px2.next('INVITE')
    expect(s.px1.heard).toEqual([])
  })

  it('does not start on a port that is taken, and says what to do', async () => {
    await using s = await scene()
    await using _ = await Peer.open('127.0.0.1', s.place.port)
    await expect(s.start()).rejects.toThrow('Set ingress.listen')
  })

  it('keeps its token key where only it can read it', async () => {
    await using s = await scene()
    await s.start()
    expect((await readFile(join(s.stateDir, 'token.key'), 'utf8')).trim()).toMatch(/^[0-9a-f]{64}$/)
  })
})
