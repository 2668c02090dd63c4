import { createNatsBus, type Bus } from '@siplb/bus'
import { weightsChanged, weightsQuestion, type WeightTable } from '@siplb/contracts'
import { startNats, type TestNats } from './nats.ts'
import { freePort } from './ports.ts'
import { spawnService, type ServiceProcess } from './service.ts'
import { hostPort, type Address } from './sip/message.ts'
import { waitFor } from './wait-for.ts'

export interface StackOptions {
  /** As in the configuration file. */
  readonly pools: Readonly<Record<string, object>>
  /** Further keys of the configuration file, such as `weights`. */
  readonly config?: Readonly<Record<string, object>>
  /** What callers may use. Default udp; tls and wss want `ingress.tls` in `config`. */
  readonly transports?: readonly SipTransport[]
}

type SipTransport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

const services = ['weigher', 'location', 'prober', 'ingress'] as const
export type ServiceName = (typeof services)[number]

/** The whole product: a NATS server and one process of each service. */
export interface Stack extends AsyncDisposable {
  readonly nats: TestNats
  /** Where callers send to, by UDP. */
  readonly sip: Address
  /** Where callers send to by any of its transports. */
  entrance(transport: SipTransport): Address
  readonly bus: Bus
  /** Every table that was published, oldest first. */
  readonly tables: readonly WeightTable[]
  service(name: ServiceName): ServiceProcess
  /** One more of a service, or one in place of one that was killed. */
  spawn(name: ServiceName): Promise<ServiceProcess>
  table(pool?: string): Promise<WeightTable>
  /** The weight of a proxy as a share of its pool. */
  shareOf(proxy: string, pool?: string): Promise<number>
  /** A counter of the first ingress, summed over its labels. */
  metric(name: string, service?: ServiceName): Promise<number>
}

export async function startStack({ pools, config = {}, transports = ['udp'] }: StackOptions): Promise<Stack> {
  const nats = await startNats()
  const entrances = await entrancesFor(transports)
  const listen = [...entrances].map(([transport, local]) => `${transport}://${hostPort(local)}`)
  const whole = {
    ...config,
    nats: { servers: [nats.url] },
    http: { port: 0 },
    ingress: { ...config['ingress'], listen },
    pools,
  }
  const running = new Map<ServiceName, ServiceProcess>()
  const all: ServiceProcess[] = []
  const spawn = async (name: ServiceName) => {
    const service = await spawnService(name, { config: whole })
    all.push(service)
    return service
  }
  const bus = createNatsBus({
    config: { prefix: 'siplb.v1', servers: [nats.url] },
    service: 'test',
    instance: 'test',
    version: '0.0.0',
    log: { info: () => {}, warn: () => {} },
    observer: { published: () => {}, unpublished: () => {}, received: () => {}, dropped: () => {} },
  })
  const tables: WeightTable[] = []
  bus.subscribe(weightsChanged, { pool: '*' }, ({ data }) => tables.push(data))
  const dispose = async () => {
    await bus.close()
    await Promise.all(all.map((service) => service[Symbol.asyncDispose]()))
    await nats[Symbol.asyncDispose]()
  }
  try {
    await Promise.all(services.map(async (name) => running.set(name, await spawn(name))))
    await waitFor(() => bus.isConnected(), 5000, 'the bus')
    const isThere = (pool: string) =>
      bus.request(weightsQuestion, { pool }, {}, 500).then(
        () => true,
        () => false,
      )
    for (const pool of Object.keys(pools)) await waitFor(() => isThere(pool), 10_000, `a weight table of ${pool}`)
  } catch (error) {
    await dispose()
    throw error
  }
  const service = (name: ServiceName) => {
    const found = running.get(name)
    if (found === undefined) throw new Error(`${name} was not started`)
    return found
  }
  const table = (pool = 'default') => bus.request(weightsQuestion, { pool }, {}, 2000)
  const entrance = (transport: SipTransport) => {
    const found = entrances.get(transport)
    if (found === undefined) throw new Error(`nobody listens on ${transport}`)
    return found
  }
  return {
    ...{ nats, bus, tables, service, spawn, table, entrance },
    sip: entrances.get('udp') ?? { address: '127.0.0.1', port: 0 },
    async shareOf(proxy, pool) {
      const { proxies } = await table(pool)
      const sum = proxies.reduce((total, { weight }) => total + weight, 0)
      return (proxies.find(({ id }) => id === proxy)?.weight ?? 0) / sum
    },
    async metric(name, of = 'ingress') {
      const text = await (await fetch(`http://127.0.0.1:${service(of).httpPort}/metrics`)).text()
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    [Symbol.asyncDispose]: dispose,
  }
}

async function entrancesFor(transports: readonly SipTransport[]): Promise<Map<SipTransport, Address>> {
  const found = new Map<SipTransport, Address>()
  for (const transport of transports) {
    const port = await freePort(transport === 'udp' ? 'udp' : 'tcp')
    found.set(transport, { address: '127.0.0.1', port })
  }
  return found
}
