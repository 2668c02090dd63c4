import type { Bus } from '@siplb/bus'
import { config as configSchema } from '@siplb/contracts'
import { createChooser, createMatcher, createNetworks, createRouteKeys } from '@siplb/routing'
import { createLogger, createRegistry } from '@siplb/runtime'
import { createLocator, type Endpoint } from '@siplb/sip/transport'
import { WrittenEvents } from '../libs/bus/src/written-events.ts'
import { AwaitedAcks } from '../services/ingress/src/domain/awaited-acks.ts'
import { Challenges } from '../services/ingress/src/domain/challenges.ts'
import { DecisionLog } from '../services/ingress/src/domain/decision-log.ts'
import { DialogLeases } from '../services/ingress/src/domain/dialog-leases.ts'
import { LivingIngresses } from '../services/ingress/src/domain/living-ingresses.ts'
import { PoolOverload } from '../services/ingress/src/domain/pool-overload.ts'
import { RetryBudget } from '../services/ingress/src/domain/retry-budget.ts'
import { TokenSigner } from '../services/ingress/src/domain/token-signer.ts'
import { createIngressMetrics } from '../services/ingress/src/metrics.ts'
import { AckRelay } from '../services/ingress/src/shell/ack-relay.ts'
import { ClientTable } from '../services/ingress/src/shell/client-table.ts'
import type { IngressContext } from '../services/ingress/src/shell/context.ts'
import { Gate } from '../services/ingress/src/shell/gate.ts'
import { IngressLoop } from '../services/ingress/src/shell/ingress-loop.ts'
import { keyHash } from '../services/ingress/src/shell/key-hash.ts'
import type { Link } from '../services/ingress/src/shell/link.ts'
import { MessagePublisher } from '../services/ingress/src/shell/message-publisher.ts'
import { PoolTraffic } from '../services/ingress/src/shell/pool-traffic.ts'
import { ProxyLinks } from '../services/ingress/src/shell/proxy-links.ts'
import { RequestRouter } from '../services/ingress/src/shell/request-router.ts'
import { RouteClient } from '../services/ingress/src/shell/route-client.ts'
import { ServerTable } from '../services/ingress/src/shell/server-table.ts'
import { ShadowTables } from '../services/ingress/src/shell/shadow-tables.ts'
import { AddressBook } from '../services/ingress/src/shell/surroundings.ts'
import { TableKeeper } from '../services/ingress/src/shell/table-keeper.ts'
import { TimerWheel } from '../services/ingress/src/shell/timer-wheel.ts'
import { createTokenKey } from '../services/ingress/src/shell/token-keys.ts'
import { Waiters } from '../services/ingress/src/shell/waiters.ts'

export interface BareIngress {
  readonly loop: IngressLoop
  readonly ctx: IngressContext
}

export interface BareIngressOptions {
  readonly now: () => number
  readonly local: Endpoint
  readonly proxy: Endpoint
  /** What goes out to the proxy. */
  readonly sent: (bytes: Buffer) => void
}

const log = createLogger('ingress', 'bench', { level: 'silent' })
const config = configSchema.parse({
  instance: 'lb1',
  pools: { default: { proxies: [1, 2, 3, 4].map((i) => ({ id: `px${i}`, uri: `sip:192.0.2.5${i}:5060` })) } },
})

/** All that stands between two sockets, with neither of them and no bus: the ingress chooses by its own table. */
export function bareIngress({ now, local, proxy, sent }: BareIngressOptions): BareIngress {
  const link: Link = { endpoint: proxy, isGone: false, pending: new Waiters(), unconfirmed: new Map(), send: sent }
  const side = { transport: local.transport, host: `${local.address}:${local.port}` }
  const metrics = createIngressMetrics(createRegistry())
  const traffic = new PoolTraffic()
  const overload = new PoolOverload(Math.random)
  const links = new ProxyLinks({
    locator: createLocator({ now, random: Math.random }),
    handlers: { onPacket: nothing, onRefused: nothing, onProblem: nothing },
    ...{ now, log, accepted: () => undefined, tls: () => ({}) },
  })
  const ctx: IngressContext = {
    ...{
      bus: noBus,
      self: { instance: noBus.instance, worker: 0 },
      log,
      now,
      metrics,
      config,
      links,
      isDraining: false,
      awaitedAcks: new AwaitedAcks(),
    },
    wheel: new TimerWheel(now, rethrow),
    tables: new TableKeeper(noBus, undefined, log, now),
    shadows: new ShadowTables({ bus: noBus, config: () => config, random: Math.random, now, onChoice: nothing }),
    routes: new RouteClient({ bus: noBus, budgetMs: config.ingress.routeTimeoutMs, now }),
    publisher: new MessagePublisher({
      ...{ bus: noBus, settings: config.ingress, now, onDropped: nothing, onUnheard: nothing },
    }),
    chooser: createChooser(Math.random),
    dialogs: new DialogLeases(),
    budget: new RetryBudget(now(), config.retry),
    takeRetry: () => ctx.budget.take(now()),
    tokens: new TokenSigner([createTokenKey('a secret of thirty-two characters')]),
    servers: new ServerTable(now),
    clients: new ClientTable(now, () => ctx),
    decisions: new DecisionLog(keyHash),
    challenges: new Challenges(),
    ingresses: new LivingIngresses(noBus.instance),
    matcher: createMatcher(config.pools),
    routeKeys: createRouteKeys(config.pools),
    trusted: createNetworks(['192.0.2.0/24']),
    attempt: (work) => (work(), true),
    wayTo: () => link,
    largeWayTo: () => undefined,
    hasConnection: () => false,
    trafficOf: () => traffic,
    overloadOf: () => overload,
    dialogsEnded: () => [],
    sideOf: () => side,
    sideTowards: () => side,
  }
  const addresses = new AddressBook(ctx)
  addresses.addOwn(local.address, local.port)
  ctx.tables.configure(config.pools)
  addresses.refresh()
  const router = new RequestRouter(ctx)
  const acks = new AckRelay(ctx, addresses, router)
  return { ctx, loop: new IngressLoop(ctx, addresses, router, acks, new Gate(ctx, addresses), nothing) }
}

function nothing(): void {}

function rethrow(error: unknown): void {
  throw error
}

/** Events are written, and go nowhere. */
const batch: Bus['batch'] = (channel) =>
  new WrittenEvents(channel, { source: '/siplb/ingress/lb1', nextId: () => 'bench', send: () => false })

const noBus: Bus = {
  ...{ prefix: 'bench', service: 'ingress', instance: 'lb1', isConnected: () => false },
  ...{ onConnection: () => ({ stop: nothing }), publish: () => false, batch, subscribe: () => ({ stop: nothing }) },
  ...{ request: () => Promise.reject(new Error('no bus')), serve: nothing, ensureStream: async () => {} },
  table: () => {
    throw new Error('no bus')
  },
  history: () => {
    throw new Error('no bus')
  },
  close: async () => {},
}
