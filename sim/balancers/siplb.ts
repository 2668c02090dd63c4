import {
  config as configSchema,
  load as loadSchema,
  responseTime,
  type Candidate,
  type Config,
  type Traffic,
  type WeightTable,
} from '@siplb/contracts'
import { buildSnapshot, createChooser, draw, pickFreshest, type Chooser, type Snapshot } from '@siplb/routing'
import { maySay, newsIn, newSpeech, nextTable, Pool, spoken, type Settings, type Speech } from '@siplb/weighing'
import { RetryBudget } from '../../services/ingress/src/domain/retry-budget.ts'
import { silenceMs } from '../../services/ingress/src/domain/silence.ts'
import { costOf, type Task } from '../../services/ingress/src/domain/work-ledger.ts'
import { PoolTraffic } from '../../services/ingress/src/shell/pool-traffic.ts'
import { afterLoss, afterNews, firstPlan, takeDue, type Plan } from '../../services/prober/src/domain/probe-schedule.ts'
import type { ProxyModel } from '../engine/proxy-model.ts'
import type { Balancer, End, Sent, World } from '../engine/world.ts'

export interface SiplbOptions {
  /** Of the pool: policy, strict; and `weights`, `probe`. */
  readonly pool?: Partial<Config['pools'][string]>
  readonly weights?: Partial<Config['weights']>
  readonly probe?: Partial<Config['probe']>
  readonly locations?: number
  /** Weights that were learnt before, instead of learning them. */
  readonly given?: Readonly<Record<string, number>>
  readonly name?: string
  /** Chance that a probe, or its answer, is lost on the way. */
  readonly probeLoss?: number
}

const POOL = 'default'
/** From a publication to its receipt, serialising included. */
const BUS_MS = 2
const TRAFFIC_MS = 250
/** Candidate lists are drawn for the requests of so long a time. */
const AHEAD_MS = 50
const PROBER = '/siplb/prober/sim'
const GATHER_MS = 10

interface Ingress {
  readonly traffic: PoolTraffic
  readonly budget: RetryBudget
  readonly chooser: Chooser
  snapshot: Snapshot
  /** Lists that a location drew ahead, for which table. */
  ahead: Candidate[][]
  aheadUntil: number
}

const noDialogs: ReadonlyMap<string, number> = new Map()

/** The real weigher, location and ingress, joined by a bus that takes 2 ms. */
export class Siplb implements Balancer {
  readonly name: string
  readonly tables: { readonly at: number; readonly table: WeightTable }[] = []
  readonly pool: Pool
  readonly #world: World
  readonly #settings: Settings
  readonly #probe: Config['probe']
  readonly #ingresses: Ingress[]
  readonly #locations: Chooser[]
  readonly #tasks = new Map<Sent, Task>()
  readonly #probeLoss: number
  #snapshot: Snapshot
  #said: WeightTable | undefined
  #speech: Speech
  #isHasty = false
  /** The next answer of this proxy to a probe is lost. */
  #toLose: string | undefined

  constructor(
    world: World,
    { pool, weights, probe, locations = 1, given, name = 'siplb', probeLoss = 0 }: SiplbOptions = {},
  ) {
    const proxies = world.proxies.map(({ id, baseWeight, tier }) => ({
      ...{ id, uri: `sip:${id}.example.com`, tier },
      weight: given?.[id] ?? baseWeight,
    }))
    const config = configSchema.parse({ weights, probe, pools: { [POOL]: { ...pool, proxies } } })
    const { policy = 'least-work', strict = false } = config.pools[POOL] ?? {}
    this.name = name
    this.#world = world
    this.#probe = config.probe
    this.#probeLoss = probeLoss
    this.#settings = { weights: config.weights, probeIntervalMs: config.probe.intervalMs, policy, strict }
    this.pool = new Pool(this.#settings)
    const now = world.sim.now
    for (const { id, uri, weight, tier } of proxies) {
      const row = {
        pool: POOL,
        id,
        uri,
        weight,
        tier,
        origin: 'config',
        adminState: 'enabled',
        actor: 'configuration',
      } as const
      this.pool.put(row, now)
    }
    this.#speech = newSpeech(now)
    this.#snapshot = this.#say(now)
    this.#locations = Array.from({ length: locations }, () => createChooser(world.random))
    this.#ingresses = Array.from({ length: world.traffic.ingresses }, () => ({
      traffic: new PoolTraffic(),
      budget: new RetryBudget(now, config.retry),
      chooser: createChooser(world.random),
      snapshot: this.#snapshot,
      ahead: [],
      aheadUntil: 0,
    }))
    world.sim.every(this.#settings.weights.tickMs, () => this.#tick())
    this.#ingresses.forEach((_, i) =>
      world.sim.every(TRAFFIC_MS, () => this.#report(i), (TRAFFIC_MS * (i + 1)) / this.#ingresses.length),
    )
    world.proxies.forEach((proxy, i) => this.#probing(proxy, i / world.proxies.length))
  }

  choose(i: number, _callId: string): string[] {
    const ingress = this.#ingress(i)
    ingress.budget.earn(this.#now)
    const candidates = this.#list(ingress)
    const pick = ingress.snapshot.strict || !isByWork(ingress.snapshot) ? 'first' : 'least-work'
    return pickFreshest(candidates, pick, ingress.traffic.workAt(this.#now)).map(({ proxy }) => proxy)
  }

  sent(request: Sent): void {
    const { proxy, method, ingress: i } = request
    const ingress = this.#ingress(i)
    const task = { proxy, cost: costOf(ingress.snapshot.costs, method), isInvite: method === 'INVITE' }
    this.#tasks.set(request, task)
    ingress.traffic.begin(task, method === 'INVITE')
  }

  answered(request: Sent, status: number, ms: number | undefined): void {
    const task = this.#tasks.get(request)
    if (task !== undefined)
      this.#ingress(request.ingress).traffic.firstResponse(task, { method: request.method, status, ms, now: this.#now })
  }

  ended(request: Sent, end: End): void {
    const task = this.#tasks.get(request)
    if (task !== undefined) this.#ingress(request.ingress).traffic.end(task, end)
    this.#tasks.delete(request)
  }

  takeRetry(i: number): boolean {
    return this.#ingress(i).budget.take(this.#now)
  }

  silenceMs(proxy: string, method: string, i: number): number {
    return silenceMs(method, this.#ingress(i).traffic.p99Ms(proxy))
  }

  /** A load event, as any program may publish it. */
  tellLoad(proxy: string, load: number): void {
    this.#bus(() => {
      this.pool.loaded(loadSchema.parse({ proxy, load }), this.#now)
      this.#hasten()
    })
  }

  loseProbe(proxy: string): void {
    this.#toLose = proxy
  }

  weightOf(proxy: string): number {
    return this.#snapshot.find(proxy)?.weight ?? 0
  }

  get #now(): number {
    return this.#world.sim.now
  }

  #ingress(i: number): Ingress {
    const found = this.#ingresses[i]
    if (found === undefined) throw new Error(`no ingress ${i}`)
    return found
  }

  #list(ingress: Ingress): Candidate[] {
    if (this.#now >= ingress.aheadUntil || ingress.ahead.length === 0) {
      const { callsPerSecond, ingresses } = this.#world.traffic
      const count = Math.max(1, Math.round((callsPerSecond / ingresses) * (AHEAD_MS / 1000)))
      const chooser = this.#locations[Math.floor(this.#world.random() * this.#locations.length)] ?? ingress.chooser
      ingress.ahead = Array.from({ length: count }, () => draw(ingress.snapshot, chooser).candidates)
      ingress.aheadUntil = this.#now + AHEAD_MS
    }
    return ingress.ahead.shift() ?? []
  }

  #bus(run: () => void): void {
    this.#world.sim.after(BUS_MS, run)
  }

  #report(i: number): void {
    const listed = {
      rows: this.#world.proxies,
      has: (proxy: string) => this.#world.proxies.some(({ id }) => id === proxy),
    }
    const { epoch, seq } = this.#snapshot
    const traffic: Traffic = {
      ...{ ingress: `ingress-${i}`, intervalMs: TRAFFIC_MS, epoch, seq, dialogsEnded: [] },
      proxies: this.#ingress(i).traffic.take(listed, noDialogs, this.#now),
    }
    this.#bus(() => this.pool.trafficked(traffic, this.#now))
  }

  #hasten(): void {
    if (this.#isHasty) return
    this.#isHasty = true
    this.#world.sim.after(GATHER_MS, () => {
      this.#isHasty = false
      this.#tick()
    })
  }

  #tick(): void {
    const before = this.#said
    const snapshot = this.#say(this.#now)
    if (this.#said === before) return
    this.#bus(() => {
      this.#snapshot = snapshot
      for (const ingress of this.#ingresses) {
        ingress.snapshot = snapshot
        ingress.ahead = []
      }
    })
  }

  #say(now: number): Snapshot {
    const weighing = this.pool.weigh(now)
    const { policy, strict, weights } = this.#settings
    const frame = { pool: POOL, writer: 'sim', policy, strict, costs: this.pool.costs }
    const news = this.#said === undefined ? 'urgent' : newsIn(this.#said, frame, weighing, weights.deadBand)
    if (this.#said !== undefined && !maySay(this.#speech, news, now)) return this.#snapshot
    this.#speech = spoken(this.#speech, news, now)
    this.#said = nextTable(this.#said, frame, weighing, 1, weights.deadBand)
    this.tables.push({ at: now, table: this.#said })
    return buildSnapshot(this.#said)
  }

  #probing(proxy: ProxyModel, place: number): void {
    const { intervalMs } = this.#probe
    const { random, sim } = this.#world
    let plan: Plan = firstPlan(place, intervalMs, sim.now, random)
    const look = () => {
      const due = takeDue(plan, sim.now, random)
      plan = due.plan
      for (const attempt of due.attempts) {
        this.#probeOnce(proxy, attempt, (isLost) => {
          plan = isLost ? afterLoss(plan, attempt, sim.now) : afterNews(plan)
        })
      }
    }
    sim.every(10, look)
  }

  #probeOnce(proxy: ProxyModel, attempt: number, settled: (isLost: boolean) => void): void {
    const { sim, random } = this.#world
    const sentAt = sim.now
    let isOpen = true
    const settle = (result: object) => {
      isOpen = false
      this.#bus(() => {
        const sample = responseTime.parse({ proxy: proxy.id, attempt, method: 'OPTIONS', ...result })
        this.pool.probed(PROBER, sample, this.#now)
        if (sample.outcome !== 'answered') this.#hasten()
      })
    }
    const isLost = random() < this.#probeLoss
    const isAnswerLost = this.#toLose === proxy.id
    if (isAnswerLost) this.#toLose = undefined
    if (!isLost) {
      proxy.receive('OPTIONS', (status) => {
        if (!isOpen || isAnswerLost) return
        settle({ responseTimeMs: sim.now - sentAt, status: status === 100 ? 200 : status })
        settled(false)
      })
    }
    sim.after(this.#probe.timeoutMs, () => {
      if (!isOpen) return
      settle({ outcome: 'lost' })
      settled(true)
    })
  }
}

function isByWork({ policy }: Snapshot): boolean {
  return policy === 'least-work' || policy === 'two-choices'
}
