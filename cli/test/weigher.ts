import { createNatsBus, Refusal, type Bus } from '@siplb/bus'
import {
  addProxy,
  disableProxy,
  drainProxy,
  natsConfig,
  proxyStateChanged,
  removeProxy,
  setProxy,
  weightsChanged,
  weightsQuestion,
  weightsTable,
  type ProxyRecord,
  type ProxyStateChange,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { createLogger, newInstance, version } from '@siplb/runtime'
import { waitFor } from '@siplb/testkit'

/** The bus's side of a weigher, with tables that the test sets: what the command line speaks with. */
export interface Weigher extends AsyncDisposable {
  /** The bodies of the commands that came, with the verb. */
  readonly commands: readonly { readonly verb: string }[]
  publish(table: WeightTable): Promise<void>
  say(change: ProxyStateChange): void
  /** The pool leaves its configuration; the table in the store stays behind. */
  forget(pool: string): void
}

export interface User {
  readonly user?: string
  readonly password?: string
}

export async function startWeigher(
  url: string,
  tables: readonly WeightTable[],
  { weigher = {}, operator = {} }: { readonly weigher?: User; readonly operator?: User } = {},
): Promise<Weigher> {
  const bus = await connect(url, 'weigher', weigher)
  const known = new Map<string, WeightTable>()
  const commands: { verb: string }[] = []
  const store = bus.table(weightsTable, 'owner')
  const keep = async (table: WeightTable) => {
    known.set(table.pool, table)
    await store.put(table.pool, table)
  }
  for (const table of tables) await keep(table)
  bus.serve(weightsQuestion, { pool: '*' }, (_, { pool = '' }) => {
    const table = known.get(pool)
    if (table === undefined) throw new Refusal(404, `there is no pool ${pool}`)
    return table
  })
  serveCommands(bus, known, commands)
  const asker = await connect(url, 'asker', operator)
  await waitFor(() => isServing(asker), 5000, 'the weigher to serve')
  await asker.close()
  return {
    commands,
    async publish(table) {
      await keep(table)
      bus.publish(weightsChanged, { pool: table.pool }, table)
    },
    say: (change) => void bus.publish(proxyStateChanged, { pool: change.pool, proxy: change.proxy }, change),
    forget: (pool) => void known.delete(pool),
    [Symbol.asyncDispose]: () => bus.close(),
  }
}

async function connect(url: string, service: string, user: User): Promise<Bus> {
  const log = createLogger(service, 'test', { level: 'silent' })
  const observer = { published() {}, unpublished() {}, received() {}, dropped() {} }
  const config = natsConfig.parse({ servers: [url], ...user })
  const bus = createNatsBus({ config, service, instance: newInstance(), version, log, observer })
  await waitFor(() => bus.isConnected(), 5000, 'the bus')
  return bus
}

function serveCommands(bus: Bus, known: ReadonlyMap<string, WeightTable>, commands: { verb: string }[]): void {
  const find = (pool: string, proxy: string) => {
    const row = known.get(pool)?.proxies.find(({ id }) => id === proxy)
    if (row === undefined) throw new Refusal(404, `there is no ${pool}/${proxy}`)
    return row
  }
  bus.serve(addProxy, {}, (body) => {
    commands.push({ verb: 'add', ...body })
    if (known.get(body.pool)?.proxies.some(({ id }) => id === body.proxy)) {
      throw new Refusal(409, `proxy ${body.proxy} is there already`)
    }
    const { pool, proxy: id, uri, weight, tier, actor } = body
    return { proxy: { pool, id, uri, weight, tier, origin: 'command', adminState: 'enabled', actor } }
  })
  for (const [verb, channel, adminState] of [
    ['drain', drainProxy, 'draining'],
    ['disable', disableProxy, 'disabled'],
    ['remove', removeProxy, 'enabled'],
  ] as const) {
    bus.serve(channel, {}, (body) => {
      commands.push({ verb, ...body })
      return { proxy: { ...recordOf(body.pool, find(body.pool, body.proxy), body.actor), adminState } }
    })
  }
  bus.serve(setProxy, {}, (body) => {
    commands.push({ verb: 'set', ...body })
    const { weight } = body
    const record = recordOf(body.pool, find(body.pool, body.proxy), body.actor)
    return { proxy: weight === null ? record : { ...record, operatorWeight: weight } }
  })
}

function recordOf(pool: string, row: WeightRow, actor: string): ProxyRecord {
  const { id, uri, baseWeight: weight, tier } = row
  return { pool, id, uri, weight, tier, origin: 'config', adminState: 'enabled', actor }
}

async function isServing(bus: Bus): Promise<boolean> {
  try {
    await bus.request(setProxy, {}, { pool: 'none', proxy: 'none', weight: null, actor: 'test' }, 500)
  } catch (error) {
    return error instanceof Error && error.message.includes('none')
  }
  return false
}

export function tableOf(pool: string, seq: number, rows: readonly Partial<WeightRow>[]): WeightTable {
  return {
    pool,
    epoch: 1,
    seq,
    prevSeq: seq - 1,
    writer: 'w1',
    policy: 'least-work',
    strict: false,
    panic: false,
    costs: { INVITE: 1 },
    proxies: rows.map((row, i) => ({
      id: `px${i + 1}`,
      uri: `sip:10.0.0.${i + 1}:5060`,
      tier: 1,
      baseWeight: 100,
      weight: 100,
      prevWeight: 100,
      state: 'up',
      restricted: false,
      reason: 'as configured',
      signals: {},
      ...row,
    })),
  }
}
