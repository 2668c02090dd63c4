import { BusError, type Bus, type Span } from '@siplb/bus'
import type { Settings } from '@siplb/weighing'
import { withBus } from '../bus.ts'
import { valueOf, type Call, type Command } from '../command.ts'
import { failure, misuse } from '../errors.ts'
import { storedPool } from '../replay/proxies.ts'
import { replay, WARM_UP_MS, type Replayed } from '../replay/replay.ts'
import { replayText } from '../replay/replay-text.ts'
import { comparedSettings, type Compared } from '../replay/settings.ts'
import { signalsOf, type Signal } from '../replay/signals.ts'
import { instantOf, instantText } from '../replay/span.ts'

/** How often a long reading says how far it is. */
const PROGRESS_MS = 2000

export const replayCommand: Command = {
  name: 'replay',
  args: [],
  options: ['since', 'until', 'pool', 'policy', 'set'],
  summary: 'run the signals of the last hours through other settings of the weights',
  details: `Reads response times, loads and traffic from the bus, which keeps two hours of them, and weighs them twice: by what is in
force (defaults, --config FILE, the policy of the last table), and by what --policy and --set weights.KEY=VALUE say instead;
without these by the shadow of the pool, where the file has one. Where two figures differ, a cell has both: in force → changed.

  mean weight, lowest, under half   what was said of it; how long it had less than half of its base weight
  states                            changes of its state
  share, requests                   where the requests of that time would have gone
  while failing                     those of them that it would have got while its probes were lost in a row, or half of its
                                    requests failed

What it cannot know: signals are those of the real choices. A proxy that would have got more is not slower for it here, and one
that got nothing tells nothing. By least-work and two-choices requests are picked one by one, evenly spread, each being work for
as long as the response time measured then: an estimate. Proxies, base weights and who drains are those of now. It begins with
what the minute before shows, and ticks at its own moments: a table may come a tick earlier or later, a fall be told in other
steps than it really was.
The same signals, by --since and --until as dates, and the same settings give the same figures.`,
  run: (call) => {
    const now = Date.now()
    const span = spanOf(call, now)
    return withBus(call, (bus) => run(call, bus, span))
  },
}

function spanOf(call: Call, now: number): Required<Span> {
  const since = instantOf('since', valueOf(call, 'since') ?? '1h', now)
  const untilText = valueOf(call, 'until')
  const until = untilText === undefined ? now : instantOf('until', untilText, now)
  if (since >= until) throw misuse(`there is no time between ${instantText(since)} and ${instantText(until)}`)
  return { since, until }
}

async function run(call: Call, bus: Bus, span: Required<Span>): Promise<void> {
  const { pool, records, table } = await storedPool(bus, valueOf(call, 'pool'))
  const compared = comparedSettings(call, pool, table)
  const settings = [compared.inForce, ...(compared.changed === undefined ? [] : [compared.changed])]
  const signals = signalsOf(bus, pool, { since: span.since - WARM_UP_MS, until: span.until })
  const options = { pool, records, settings, since: span.since, onSignal: progressOf(call) }
  const replayed = await replay(signals, options).catch((error: unknown) => {
    throw explained(error)
  })
  if (replayed === undefined) throw nothingThere(pool, span)
  call.print(call.output === 'json' ? jsonText(pool, replayed, compared) : replayText(pool, replayed, compared))
}

function jsonText(pool: string, { runs, ...replayed }: Replayed, compared: Compared): string {
  const [inForce, changed] = runs
  const iso = (at: number) => new Date(at).toISOString()
  const { from, to, events, requests } = replayed
  return JSON.stringify(
    {
      ...{ pool, from: iso(from), to: iso(to), events, requests },
      inForce: { settings: shown(compared.inForce), ...inForce },
      changed: compared.changed === undefined ? null : { settings: shown(compared.changed), ...changed },
    },
    null,
    2,
  )
}

function shown({ policy, strict, weights }: Settings) {
  return { policy, strict, weights }
}

/** Says now and then how far it is, and ends it when the user wants that. */
function progressOf(call: Call): (signal: Signal, count: number) => void {
  let saidAt = Date.now()
  return ({ at }, count) => {
    if (call.stopped.aborted) throw failure('stopped before the end')
    if (count % 100 !== 0 || Date.now() - saidAt < PROGRESS_MS) return
    saidAt = Date.now()
    call.remark(`${count} events read, up to ${instantText(at)}`)
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof BusError)) return error
  if (error.code !== 'no-stream') return failure(`${error.message}: try again when the bus is back`, error)
  return failure(`${error.message} yet: a weigher makes it when it starts, and signals are kept from then on`, error)
}

function nothingThere(pool: string, { since, until }: Required<Span>) {
  return failure(
    `no signal of pool ${pool} is there from ${instantText(since)} to ${instantText(until)}: the bus keeps those of the last two hours; say another time by --since`,
  )
}
