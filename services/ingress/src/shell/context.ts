import type { Bus } from '@siplb/bus'
import type { Config } from '@siplb/contracts'
import type { Chooser, Matcher, Networks, RouteKeys } from '@siplb/routing'
import type { Logger } from '@siplb/runtime'
import type { Endpoint } from '@siplb/sip/transport'
import type { Target } from '../domain/branch.ts'
import type { DecisionLog } from '../domain/decision-log.ts'
import type { AwaitedAcks } from '../domain/awaited-acks.ts'
import type { Challenges } from '../domain/challenges.ts'
import type { DialogLeases } from '../domain/dialog-leases.ts'
import type { LivingIngresses } from '../domain/living-ingresses.ts'
import type { PoolOverload } from '../domain/pool-overload.ts'
import type { Side } from '../domain/record-route.ts'
import type { RetryBudget } from '../domain/retry-budget.ts'
import type { TokenSigner } from '../domain/token-signer.ts'
import type { IngressMetrics } from '../metrics.ts'
import type { Routes } from './route-client.ts'
import type { ClientTable } from './client-table.ts'
import type { Link } from './link.ts'
import type { MessagePublisher } from './message-publisher.ts'
import type { PoolTraffic } from './pool-traffic.ts'
import type { ProxyLinks } from './proxy-links.ts'
import type { ServerTable } from './server-table.ts'
import type { ShadowTables } from './shadow-tables.ts'
import type { TableKeeper } from './table-keeper.ts'
import type { TimerWheel } from './timer-wheel.ts'

/** An ingress is known by its instance, and each of the processes that share its ports by a number. */
export interface Self {
  readonly instance: string
  readonly worker: number
}

/** What the parts of the ingress share. */
export interface IngressContext {
  readonly bus: Bus
  /** As whom this process is known in what it writes into messages. */
  readonly self: Self
  readonly log: Logger
  readonly now: () => number
  readonly wheel: TimerWheel
  readonly metrics: IngressMetrics
  readonly tables: TableKeeper
  readonly shadows: ShadowTables
  readonly routes: Routes
  readonly publisher: MessagePublisher
  readonly links: ProxyLinks
  readonly chooser: Chooser
  readonly dialogs: DialogLeases
  readonly budget: RetryBudget
  /** Whether one more retry may be made; it is then paid. */
  readonly takeRetry: () => boolean
  readonly tokens: TokenSigner
  readonly servers: ServerTable
  readonly clients: ClientTable
  readonly decisions: DecisionLog
  readonly challenges: Challenges
  readonly ingresses: LivingIngresses
  /** As configured now. */
  config: Config
  matcher: Matcher
  routeKeys: RouteKeys
  /** Sources that no limit holds for. */
  trusted: Networks
  isDraining: boolean
  /** Of calls that were taken since it drains. */
  readonly awaitedAcks: AwaitedAcks
  /** Runs what a message or an answer brought. Never throws: one bad message must not hurt another call. False: it failed. */
  readonly attempt: (work: () => void) => boolean
  /** How to send to a target; `local` is the socket by which the other side of the request knows us. */
  wayTo(target: Target, local: Endpoint): Link | undefined | Promise<Link | undefined>
  trafficOf(pool: string): PoolTraffic
  overloadOf(pool: string): PoolOverload
  /** Ends of dialogs that other instances count, since they were last told. */
  dialogsEnded(pool: string): { ingress: string; dialog: string }[]
  /** Whether a caller's connection is still open. */
  hasConnection(remote: Endpoint): boolean
  /** Undefined where no connection is taken there, or none is needed. */
  largeWayTo(target: Target, link: Link): Promise<Link | undefined> | undefined
  /** As whom we are known to who sent to this socket. */
  sideOf(local: Endpoint): Side
  /** As whom we are known to who is sent to there. */
  sideTowards(remote: Endpoint, local: Endpoint): Side
}
