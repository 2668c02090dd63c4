import { BusError, type Bus } from '@siplb/bus'
import {
  addProxy,
  disableProxy,
  drainProxy,
  enableProxy,
  removeProxy,
  setProxy,
  type ProxyRecord,
  type RequestChannel,
  type WeightRow,
} from '@siplb/contracts'
import { errorText } from '@siplb/runtime'
import { actor, ask, withBus } from '../bus.ts'
import { valueOf, type Call, type Command } from '../command.ts'
import { misuse } from '../errors.ts'
import { notThere, poolOf, readTables, refusal } from '../pools.ts'
import { numberText, tableText, type Column } from '../table-text.ts'
import { inOrder } from '../weights-text.ts'

interface Listed {
  readonly pool: string
  readonly row: WeightRow
}

const columns: readonly Column<Listed>[] = [
  { title: 'pool', text: ({ pool }) => pool },
  { title: 'proxy', text: ({ row }) => row.id },
  { title: 'uri', text: ({ row }) => row.uri },
  { title: 'tier', align: 'right', text: ({ row }) => String(row.tier) },
  { title: 'state', text: ({ row }) => row.state },
  { title: 'base', align: 'right', text: ({ row }) => numberText(row.baseWeight) },
  { title: 'weight', align: 'right', text: ({ row }) => numberText(row.weight) },
]

const list: Command = {
  name: 'proxies list',
  args: [],
  options: ['pool'],
  summary: 'the proxies of all pools, or of one',
  run: (call) =>
    withBus(call, async (bus) => {
      const tables = await readTables(bus, valueOf(call, 'pool'))
      const listed = tables.flatMap(({ pool, proxies }) => inOrder(proxies).map((row) => ({ pool, row })))
      const asJson = () =>
        JSON.stringify(
          listed.map(({ pool, row }) => ({ pool, ...row })),
          null,
          2,
        )
      call.print(call.output === 'json' ? asJson() : tableText(columns, listed))
    }),
}

const add: Command = {
  name: 'proxies add',
  args: ['PROXY', 'URI'],
  options: ['pool', 'weight', 'tier'],
  summary: 'add a proxy: siplb proxies add px4 sip:10.0.0.14:5060 --weight 50',
  details: 'It takes part by slow start, like one that came up. The configuration file stays as it is.',
  run: (call) => {
    const weight = numberOf(call, 'weight') ?? 100
    const tier = numberOf(call, 'tier') ?? 1
    return command(call, addProxy, (target) => ({ ...target, uri: call.args[1] ?? '', weight, tier }))
  },
}

const set: Command = {
  name: 'proxies set',
  args: ['PROXY'],
  options: ['pool', 'weight'],
  summary: 'set the base weight of a proxy; --weight default returns to the declared one',
  run: (call) => {
    const text = valueOf(call, 'weight')
    if (text === undefined) throw misuse('say what to set: siplb proxies set px1 --weight 50')
    const weight = text === 'default' ? null : (numberOf(call, 'weight') ?? null)
    return command(call, setProxy, (target) => ({ ...target, weight }))
  },
}

export const proxies: readonly Command[] = [
  list,
  add,
  change('remove', 'remove a proxy that a command added or that announced itself', removeProxy, ({ pool, id, uri }) => {
    return `${pool} ${id} ${uri}: removed`
  }),
  change('drain', 'give it no new requests; dialogs go on until they end', drainProxy),
  change('enable', 'let it take part again, by slow start', enableProxy),
  change('disable', 'take it out: no new requests, no probes', disableProxy),
  set,
]

interface Target {
  readonly pool: string
  readonly proxy: string
  readonly actor: string
}

function change(
  verb: string,
  summary: string,
  channel: RequestChannel<Target, { proxy: ProxyRecord }>,
  text?: (proxy: ProxyRecord) => string,
): Command {
  return {
    name: `proxies ${verb}`,
    args: ['PROXY'],
    options: ['pool'],
    summary,
    run: (call) => command(call, channel, (target) => target, text),
  }
}

async function command<Q>(
  call: Call,
  channel: RequestChannel<Q, { proxy: ProxyRecord }>,
  body: (target: Target) => Q,
  text: (proxy: ProxyRecord) => string = recordText,
): Promise<void> {
  const proxy = call.args[0] ?? ''
  await withBus(call, async (bus) => {
    const pool = await poolOf(bus, valueOf(call, 'pool'))
    const checked = channel.request.safeParse(body({ pool, proxy, actor: actor() }), { error: errorText })
    if (!checked.success) {
      throw misuse(checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'))
    }
    const reply = await carryOut(bus, channel, checked.data, { pool, proxy })
    call.print(call.output === 'json' ? JSON.stringify(reply.proxy, null, 2) : text(reply.proxy))
  })
}

async function carryOut<Q, A>(
  bus: Bus,
  channel: RequestChannel<Q, A>,
  body: Q,
  { pool, proxy }: { readonly pool: string; readonly proxy: string },
): Promise<A> {
  try {
    return await ask(bus, channel, {}, body)
  } catch (error) {
    if (error instanceof BusError && error.status === 404) throw await notThere(bus, pool, proxy, error)
    throw refusal(error)
  }
}

function recordText({ pool, id, uri, weight, operatorWeight, tier, adminState, origin }: ProxyRecord): string {
  const set = operatorWeight === undefined ? '' : ` (declared ${numberText(weight)})`
  return `${pool} ${id} ${uri}: ${adminState}, base weight ${numberText(operatorWeight ?? weight)}${set}, tier ${tier}, from ${origin}`
}

function numberOf(call: Call, option: 'weight' | 'tier'): number | undefined {
  const text = valueOf(call, option)
  if (text === undefined) return undefined
  const value = Number(text)
  const least = option === 'weight' ? 0 : 1
  if (text.trim() === '' || !(value >= least))
    throw misuse(`--${option} wants a number from ${least} on, not "${text}"`)
  return value
}
