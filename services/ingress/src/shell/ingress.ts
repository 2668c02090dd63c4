import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { explainQuestion, type Config, type RouteFacts, type WeightRow, type WeightTable } from '@siplb/contracts'
import { createChooser, createMatcher, createNetworks, createRouteKeys } from '@siplb/routing'
import { createTicker, inTurns, type Component, type Logger, type TlsFiles } from '@siplb/runtime'
import type { Endpoint, Locator } from '@siplb/sip/transport'
import { AwaitedAcks } from '../domain/awaited-acks.ts'
import { Challenges } from '../domain/challenges.ts'
import { DecisionLog } from '../domain/decision-log.ts'
import { DialogLeases } from '../domain/dialog-leases.ts'
import { LivingIngresses } from '../domain/living-ingresses.ts'
import { PoolOverload } from '../domain/pool-overload.ts'
import { RetryBudget } from '../domain/retry-budget.ts'
import type { TokenKey } from '../domain/route-token.ts'
import { TokenSigner } from '../domain/token-signer.ts'
import type { IngressMetrics } from '../metrics.ts'
import { AckRelay } from './ack-relay.ts'
import { ChoicesAheadClient } from './choices-ahead.ts'
import { ClientTable } from './client-table.ts'
import type { IngressContext, Self } from './context.ts'
import { explain } from './explain.ts'
import { Gate } from './gate.ts'
import type { DiskTables } from './disk-tables.ts'
import { IngressLoop } from './ingress-loop.ts'
import { keyHash } from './key-hash.ts'
import { Listeners } from './listeners.ts'
import { MessagePublisher } from './message-publisher.ts'
import { Siblings, type WorkerChannel } from './siblings.ts'
import { createOverloadExchange } from './overload-exchange.ts'
import { PoolTraffic } from './pool-traffic.ts'
import type { ProxyLink } from './proxy-link.ts'
import { ProxyLinks } from './proxy-links.ts'
import { RequestRouter } from './request-router.ts'
import { RouteClient } from './route-client.ts'
import { ServerTable } from './server-table.ts'
import { ShadowTables } from './shadow-tables.ts'
import { AddressBook } from './surroundings.ts'
import { TableKeeper } from './table-keeper.ts'
import { TimerWheel } from './timer-wheel.ts'
import { createTlsRenewal } from './tls-renewal.ts'
import { createTrafficPublisher } from './traffic-publisher.ts'
import { Ways } from './ways.ts'

const PUBLISH_MS = 20
const RESOLVE_MS = 30_000
const PREPARE_MS = 1000
const LINKS_IN_A_STEP = 200
/** What was sent again on the way of the last calls comes to its end too. */
const LINGER_MS = 500

export interface IngressOptions {
  readonly config: Config
  readonly endpoints: readonly Endpoint[]
  readonly bus: Bus
  readonly disk: DiskTables | undefined
  readonly tokenKeys: readonly TokenKey[]
  readonly log: Logger
  readonly metrics: IngressMetrics
  readonly now: () => number
  readonly locator: Locator
  readonly tls: TlsFiles
  /** Of one of several workers; left out: the instance is this process. */
  readonly place?: Self
  readonly siblings?: WorkerChannel
}

export interface Ingress {
  /** In the order of their start. */
  readonly components: readonly Component[]
  readonly tables: TableKeeper
  reconfigure(config: Config): void
}

/** Puts the parts of the ingress together. */
export function createIngress(options: IngressOptions): Ingress {
  const { config, bus, log, metrics, now } = options
  const self = options.place ?? { instance: bus.instance, worker: 0 }
  const onProblem = ({ code }: { readonly code: string }) => metrics.socketProblems.inc({ code })
  const links = new ProxyLinks({
    locator: options.locator,
    handlers: { onPacket: (packet) => loop.receive(packet), onRefused: () => metrics.refused.inc(), onProblem },
    now,
    log,
    accepted: (remote) => listeners.linkTo(remote),
    tls: (host) => options.tls.towards(host),
  })
  const listeners = new Listeners({
    endpoints: options.endpoints,
    advertise: config.ingress.advertise,
    isShared: options.siblings !== undefined,
    tls: () => options.tls.server(),
    limits: config.ingress.limits,
    isTrusted: (address) => ctx.trusted.has(address) || addresses.isProxy(address),
    onPacket: (packet) => loop.receive(packet),
    onProblem,
    onListening: (local, advertised) => {
      addresses.addOwn(local.address, local.port)
      addresses.addAdvertised(advertised)
    },
    log,
  })
  const traffic = new Map<string, PoolTraffic>()
  const overload = new Map<string, PoolOverload>()
  const ended = new Map<string, { ingress: string; dialog: string }[]>()
  const ctx: IngressContext = {
    bus,
    self,
    log,
    now,
    metrics,
    config,
    links,
    wheel: new TimerWheel(now, (error) => log.error({ err: error }, 'timer failed')),
    tables: new TableKeeper(bus, options.disk, log, now),
    shadows: new ShadowTables({
      bus,
      config: () => ctx.config,
      random: Math.random,
      now,
      onChoice: (pool, proxy) => metrics.shadowDecisions.inc({ pool, proxy }),
    }),
    routes: new ChoicesAheadClient({
      client: new RouteClient({ bus, budgetMs: config.ingress.routeTimeoutMs, now }),
      poolOf: (facts) => unkeyedPool(ctx, facts),
      revisionOf: (pool) => ctx.tables.get(pool),
      isConnected: () => bus.isConnected(),
      now,
    }),
    publisher: new MessagePublisher({
      ...{ bus, settings: config.ingress, now },
      onDropped: () => metrics.untold.inc(),
      onUnheard: (count) => metrics.unheard.inc(count),
    }),
    chooser: createChooser(Math.random),
    dialogs: new DialogLeases(),
    budget: new RetryBudget(now(), config.retry),
    takeRetry: () => ctx.budget.take(now()),
    tokens: new TokenSigner(options.tokenKeys),
    servers: new ServerTable(now),
    clients: new ClientTable(now, () => ctx),
    decisions: new DecisionLog(keyHash),
    challenges: new Challenges(),
    ingresses: new LivingIngresses(bus.instance, self.instance),
    matcher: createMatcher(config.pools),
    routeKeys: createRouteKeys(config.pools),
    trusted: createNetworks(config.ingress.trusted),
    isDraining: false,
    awaitedAcks: new AwaitedAcks(),
    attempt(work) {
      try {
        work()
        return true
      } catch (error) {
        metrics.dropped.inc({ reason: 'error' })
        log.error({ err: error }, 'message not handled')
        return false
      }
    },
    wayTo: (target, local) => ways.to(target, local),
    largeWayTo: (target, link) => ways.forLarge(target, link),
    hasConnection: (remote) => listeners.linkTo(remote) !== undefined,
    overloadOf: (pool) => getOrMake(overload, pool, () => new PoolOverload(Math.random)),
    trafficOf: (pool) => getOrMake(traffic, pool, () => new PoolTraffic()),
    dialogsEnded: (pool) => getOrMake(ended, pool, () => []),
    sideOf: (local) => listeners.sideOf(local),
    sideTowards: (remote, local) => listeners.sideTowards(remote, local),
  }
  const addresses = new AddressBook(ctx)
  // A proxy that is the balancer itself would loop, and answers every probe.
  const isOurselves = (uri: string) => addresses.isOurUri(uri)
  const tlsRenewal = createTlsRenewal(ctx, options.tls, listeners)
  const ways = new Ways(links, listeners, isOurselves)
  const router = new RequestRouter(ctx)
  const acks = new AckRelay(ctx, addresses, router)
  const gate = new Gate(ctx, addresses)
  const loop = new IngressLoop(ctx, addresses, router, acks, gate, (local, remote, bytes) =>
    listeners.sendFrom(local, remote, bytes),
  )
  if (options.siblings !== undefined) loop.siblings = siblingsBy(options.siblings, ctx, loop, listeners)

  bus.serve(explainQuestion, {}, ({ callId }) => explain(ctx, callId))
  ctx.tables.onTable((table, before) => followTable(ctx, addresses, table, before))
  return {
    tables: ctx.tables,
    components: [
      tables(ctx),
      proxies(ctx, addresses),
      createTrafficPublisher(ctx, listeners),
      createOverloadExchange(ctx),
      publishing(ctx),
      listeners,
      tlsRenewal,
      calls(ctx, loop),
    ],
    reconfigure(changed) {
      ctx.config = changed
      ctx.matcher = createMatcher(changed.pools)
      ctx.routeKeys = createRouteKeys(changed.pools)
      ctx.trusted = createNetworks(changed.ingress.trusted)
      ctx.budget.configure(changed.retry)
      gate.configure()
      ctx.tables.configure(changed.pools)
      addresses.refresh()
      tlsRenewal.renew()
    },
  }
}

function siblingsBy(channel: WorkerChannel, ctx: IngressContext, loop: IngressLoop, listeners: Listeners): Siblings {
  return new Siblings({
    worker: ctx.self.worker,
    channel,
    now: ctx.now,
    later: (ms, work) => void ctx.wheel.set(ms, work),
    host: {
      hasAny: (keys) => keys.some((key) => ctx.servers.get(key) !== undefined),
      receive: (packet) => loop.receive(packet),
      sendFrom: (local, remote, bytes) => listeners.sendFrom(local, remote, bytes),
      sendBy: (remote, bytes) => (listeners.linkTo(remote) ?? ctx.links.linkBack(remote))?.send(bytes),
    },
  })
}

/** New proxies get their sockets; from those that went down nothing can come any more. */
function followTable(
  ctx: IngressContext,
  addresses: AddressBook,
  table: WeightTable,
  before: readonly WeightRow[],
): void {
  const prepared = ctx.links.prepare(table.proxies.map(({ uri }) => uri))
  prepared.then(
    () => addresses.refresh(),
    (error: unknown) => ctx.log.warn({ err: error }, 'proxies not prepared'),
  )
  ctx.overloadOf(table.pool).keepOnly(ctx.tables.listed(table.pool).has)
  // What is sent to one that is down already was sent there knowingly.
  const wereDown = new Set(before.filter(({ state }) => state === 'down').map(({ id }) => id))
  for (const { id, state, uri } of table.proxies) {
    if (state === 'down' && !wereDown.has(id)) ctx.links.knownLinkTo(uri)?.giveUpPending()
  }
}

function tables(ctx: IngressContext): Component {
  return {
    name: 'tables',
    start() {
      ctx.tables.configure(ctx.config.pools)
      ctx.tables.start()
      ctx.shadows.start()
    },
  }
}

/** Sockets to the proxies: opened before the first call, their names looked up again now and then. */
function proxies(ctx: IngressContext, addresses: AddressBook): Component {
  const uris = () => Object.keys(ctx.config.pools).flatMap((pool) => ctx.tables.rowsOf(pool).map(({ uri }) => uri))
  const prepare = async () => {
    await ctx.links.prepare(uris())
    addresses.refresh()
    await ctx.links.closeIdle(await inTurns(linksTo(ctx, uris())))
  }
  const onError = (error: unknown) => ctx.log.warn({ err: error }, 'proxies not prepared')
  const ticker = createTicker({ name: 'proxies', everyMs: RESOLVE_MS, run: prepare, onError })
  return {
    name: 'proxies',
    async start() {
      // Who is a proxy is known before anything is received; but a name service that is silent must not hold up the start.
      await Promise.race([prepare(), sleep(PREPARE_MS, undefined, { ref: false })])
      void ticker.start?.()
    },
    async stop() {
      await ticker.stop?.()
      await ctx.links.close()
    },
  }
}

function* linksTo(ctx: IngressContext, uris: readonly string[]): Generator<undefined, Set<ProxyLink>> {
  const links = new Set<ProxyLink>()
  for (const [i, uri] of uris.entries()) {
    const link = ctx.links.knownLinkTo(uri)
    if (link !== undefined) links.add(link)
    if (i % LINKS_IN_A_STEP === LINKS_IN_A_STEP - 1) yield
  }
  return links
}

function publishing(ctx: IngressContext): Component {
  const onError = (error: unknown) => ctx.log.error({ err: error }, 'messages not published')
  const ticker = createTicker({ name: 'publishing', everyMs: PUBLISH_MS, run: () => ctx.publisher.flush(), onError })
  return {
    ...ticker,
    async stop() {
      await ticker.stop?.()
      ctx.publisher.stop()
    },
  }
}

/** On a stop: takes no new calls, lets those in set-up come to their end, and gives every timer back. */
function calls(ctx: IngressContext, loop: IngressLoop): Component {
  return {
    name: 'calls',
    async drain() {
      ctx.isDraining = true
      if (loop.pendingCalls === 0) return
      while (loop.pendingCalls > 0 || !ctx.awaitedAcks.isEmpty(ctx.now())) await sleep(50)
      await sleep(LINGER_MS)
    },
    stop() {
      ctx.wheel.stop()
    },
  }
}

/** Of a request that any choice will do for. */
function unkeyedPool({ matcher, tables, routeKeys }: IngressContext, facts: RouteFacts): string | undefined {
  const pool = matcher.poolOf(facts)
  if (pool === undefined || tables.get(pool)?.policy === 'rendezvous') return undefined
  return routeKeys.aor(pool, facts) === undefined ? pool : undefined
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
