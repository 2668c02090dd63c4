import type { Bus, Received } from '@siplb/bus'
import { proxyStateChanged, weightsChanged, type EventChannel, type WeightTable } from '@siplb/contracts'
import { withBus } from '../bus.ts'
import { valueOf, type Call, type Command } from '../command.ts'
import { stateText, weightTexts } from '../events-text.ts'
import { untilStopped } from '../until-stopped.ts'

export const events: Command = {
  name: 'events',
  args: [],
  options: ['pool'],
  summary: 'follow what happens: weights that change, proxies that go up, down, are ejected, drain',
  details: `Goes on until interrupted. With -o json it is one event per line, with type, source, id and data as on the bus.`,
  run: (call) => withBus(call, (bus) => follow(call, bus)),
}

async function follow(call: Call, bus: Bus): Promise<void> {
  const pool = valueOf(call, 'pool') ?? '*'
  const known = new Map<string, WeightTable>()
  const hear = <T>(channel: EventChannel<T>, texts: (data: T, at: Date) => readonly string[]) => {
    bus.subscribe(channel, { pool, proxy: '*' }, (event) => {
      const lines = texts(event.data, new Date())
      if (call.output === 'json') call.print(jsonOf(channel, event))
      else for (const line of lines) call.print(line)
    })
  }
  hear(weightsChanged, (table, at) => {
    const before = known.get(table.pool)
    known.set(table.pool, table)
    return weightTexts(before, table, at)
  })
  hear(proxyStateChanged, (change, at) => [stateText(change, at)])
  call.remark(`following the events of ${pool === '*' ? 'all pools' : `pool ${pool}`}`)
  await untilStopped(call, bus)
}

function jsonOf<T>({ type }: EventChannel<T>, { source, id, data }: Received<T>): string {
  return JSON.stringify({ type, source, id, data })
}
