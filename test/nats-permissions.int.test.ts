import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNatsBus, type Bus, type BusObserver } from '@siplb/bus'
import {
  eventChannels,
  leasesTable,
  proxiesTable,
  requestChannels,
  streams,
  subjectOf,
  type TableSpec,
  weightsQuestion,
  weightsTable,
} from '@siplb/contracts'
import { startNats, type TestNats } from '@siplb/testkit'
import { connect, Events, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const users = ['ingress', 'prober', 'weigher', 'location', 'operator', 'programs'] as const
type User = (typeof users)[number]

/** Who may say it, and who may hear it. A new channel fails here until config/nats.conf and this list know it. */
const rights: Record<string, { say: User[]; hear: User[] }> = {
  'evt.sip.received': { say: ['ingress'], hear: ['operator'] },
  'evt.route.answered': { say: ['location'], hear: ['operator'] },
  'evt.response-time.{pool}': { say: ['prober', 'programs'], hear: ['operator', 'weigher'] },
  'evt.load.{pool}': { say: ['ingress', 'prober', 'programs'], hear: ['ingress', 'operator', 'weigher'] },
  'evt.traffic.{pool}': { say: ['ingress'], hear: ['ingress', 'operator', 'weigher'] },
  'evt.weights.changed.{pool}': { say: ['weigher'], hear: ['ingress', 'location', 'operator'] },
  'evt.table.{pool}': { say: ['weigher'], hear: ['ingress', 'location', 'operator'] },
  'evt.weights.shadow.{pool}': { say: ['weigher'], hear: ['ingress', 'operator'] },
  'evt.proxy.state.{pool}.{proxy}': { say: ['weigher'], hear: ['operator'] },
  'evt.proxy.announce.{pool}': { say: ['operator'], hear: ['operator', 'weigher'] },
  'req.route': { say: ['ingress', 'operator'], hear: ['location'] },
  'req.route.{instance}': { say: ['ingress', 'operator'], hear: ['location'] },
  'req.explain': { say: ['operator'], hear: ['ingress'] },
  'req.weights.{pool}': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.add': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.remove': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.drain': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.enable': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.disable': { say: ['operator'], hear: ['weigher'] },
  'cmd.proxies.set': { say: ['operator'], hear: ['weigher'] },
}

/** Who may write what is stored. */
const writers: Record<string, User[]> = {
  '$KV.siplb_weights.default': ['weigher'],
  '$KV.siplb_proxies.default.px1': ['weigher'],
  '$KV.siplb_leases.weigher.default': ['weigher'],
  '$KV.siplb_leases.prober.here': ['prober', 'weigher'],
  '$JS.API.STREAM.CREATE.KV_siplb_other': ['weigher'],
  '$JS.API.STREAM.DELETE.KV_siplb_other': ['weigher'],
  '$JS.API.STREAM.PURGE.SIPLB_EVENTS': ['weigher'],
}

const params = { pool: 'default', proxy: 'px1', instance: 'here' }

describe('the permissions of config/nats.conf', () => {
  let server: TestNats
  const clients = new Map<User, Client>()

  beforeAll(async () => {
    server = await startServer()
    for (const user of users) clients.set(user, await Client.connect(server.url, user))
  })
  afterAll(async () => {
    for (const client of clients.values()) await client.nc.close()
    await server?.stop()
  })

  const those = async (may: (client: Client) => Promise<boolean>): Promise<User[]> => {
    const found: User[] = []
    for (const [user, client] of clients) if (await may(client)) found.push(user)
    return found.sort()
  }

  it.each([...eventChannels, ...requestChannels].map((channel) => channel.address))(
    'lets only those say and hear %s who have to',
    async (address) => {
      const subject = subjectOf('siplb.v1', address, params)
      const say = await those((client) => client.maySay(subject))
      const hear = await those((client) => client.mayHear(subject))
      expect({ say, hear }).toEqual(rights[address])
    },
  )

  it.each(Object.entries(writers))('lets only those write %s who have to', async (subject, allowed) => {
    expect(await those((client) => client.maySay(subject))).toEqual(allowed)
  })

  it('lets nobody in without a password', async () => {
    await expect(connect({ servers: server.url })).rejects.toThrow(/authorization/i)
    await expect(connect({ servers: server.url, user: 'weigher', pass: 'guessed' })).rejects.toThrow(/authorization/i)
  })

  it('lets each service use its tables, streams and requests, and be discovered', async () => {
    const refused: object[] = []
    const open = (service: User) => createBus(server.url, service, refused)
    const [weigher, prober, location, ingress, operator] = (
      ['weigher', 'prober', 'location', 'ingress', 'operator'] as const
    ).map(open) as [Bus, Bus, Bus, Bus, Bus]
    const buses = [weigher, prober, location, ingress, operator]
    await expect.poll(() => buses.every((bus) => bus.isConnected())).toBe(true)

    for (const stream of Object.values(streams)) await weigher.ensureStream(stream)
    const lease = { holder: 'here', epoch: 1, beat: 1 }
    await weigher.table(leasesTable, 'owner').put('weigher.default', lease)
    await prober.table(leasesTable, 'user').put('prober.here', lease)

    const row = { uri: 'sip:127.0.0.1:5070', weight: 100, tier: 1, origin: 'config', adminState: 'enabled' } as const
    await weigher.table(proxiesTable, 'owner').put('default.px1', { ...row, pool: 'default', id: 'px1', actor: 'test' })
    for (const bus of [prober, operator]) await expectToRead(bus, proxiesTable, 'default.px1')
    const table = { pool: 'default', epoch: 1, seq: 1, prevSeq: 0, writer: 'here', policy: 'least-work' } as const
    const rest = { strict: false, panic: false, costs: {}, proxies: [] }
    await weigher.table(weightsTable, 'owner').put('default', { ...table, ...rest })
    for (const bus of [ingress, location, operator]) await expectToRead(bus, weightsTable, 'default')

    weigher.serve(weightsQuestion, { pool: '*' }, () => {
      throw new TypeError('reached')
    })
    await expect.poll(() => operator.request(weightsQuestion, { pool: 'x' }, {}, 1000).catch(String)).toContain('log')

    const discovery = (await clients.get('operator')?.nc.services.client().ping()) ?? []
    const names: string[] = []
    for await (const service of discovery) names.push(service.name)
    expect(names.sort()).toEqual(['ingress', 'location', 'prober', 'weigher'].map((name) => `siplb-${name}`))
    expect(refused).toEqual([])
    for (const bus of buses) await bus.close()
  })
})

/** At once, and as news. */
async function expectToRead<T>(bus: Bus, spec: TableSpec<T>, key: string): Promise<void> {
  const table = bus.table(spec, 'user')
  const seen: string[] = []
  const watch = table.watch((changed) => seen.push(changed))
  await expect.poll(() => seen).toEqual([key])
  watch.stop()
  expect((await table.get(key))?.key).toBe(key)
}

/** A connection of one user, and what the server refused it. */
class Client {
  readonly nc: NatsConnection
  #refusals = 0

  static async connect(servers: string, user: User): Promise<Client> {
    return new Client(await connect({ servers, user, pass: passwordOf(user), ignoreAuthErrorAbort: true }))
  }

  private constructor(nc: NatsConnection) {
    this.nc = nc
    void this.#listen()
  }

  async maySay(subject: string): Promise<boolean> {
    return this.#isAllowed(() => this.nc.publish(subject))
  }

  async mayHear(subject: string): Promise<boolean> {
    return this.#isAllowed(() => {
      const subscription = this.nc.subscribe(subject, { callback: () => {} })
      return () => subscription.unsubscribe()
    })
  }

  /** The server says a refusal before it answers the ping of the flush. */
  async #isAllowed(act: () => (() => void) | void): Promise<boolean> {
    const before = this.#refusals
    const undo = act()
    await this.nc.flush()
    await turn()
    const isAllowed = this.#refusals === before
    if (isAllowed) undo?.()
    return isAllowed
  }

  async #listen(): Promise<void> {
    for await (const status of this.nc.status()) if (status.type === Events.Error) this.#refusals += 1
  }
}

function createBus(url: string, user: User, refused: object[]): Bus {
  const ignore = () => {}
  const observer: BusObserver = { published: ignore, unpublished: ignore, received: ignore, dropped: ignore }
  return createNatsBus({
    config: { servers: [url], prefix: 'siplb.v1', user, password: passwordOf(user) },
    service: user,
    instance: 'here',
    version: '0.0.0',
    isService: user !== 'operator',
    log: { info: ignore, warn: (fields, text) => text.startsWith('request handler') || refused.push({ fields, text }) },
    observer,
  })
}

function passwordOf(user: User): string {
  return `1-${user}`
}

/** A server with our configuration; the quotes are part of the values, since the server parses them. */
async function startServer(): Promise<TestNats> {
  for (const user of users) process.env[`SIPLB_NATS_${user.toUpperCase()}_PASSWORD`] = `"${passwordOf(user)}"`
  return startNats({ args: ['-c', fileURLToPath(new URL('../config/nats.conf', import.meta.url))] })
}
