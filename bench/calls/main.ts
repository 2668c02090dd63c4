import { startBareKamailio, isKamailioInstalled } from './kamailio.ts'
import { startLoadTools, type LoadTools } from './load-tools.ts'
import { measure, type Measured } from './measure.ts'
import { HELP, optionsOf, type Options } from './options.ts'
import { highestRate } from './search.ts'
import { startSiplb } from './siplb.ts'
import type { System } from './system.ts'
import { percent, ratiosOf, sharesOf, tableOf, warningsOf } from './table.ts'

/** Calls a second. */
const WARM_UP_RATE = 2000

function optionsOrExit(): Options {
  try {
    const options = optionsOf(process.argv.slice(2))
    if (options !== 'help') return options
    console.log(HELP)
    process.exit(0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

/** No balancer: what the load tools themselves need is in every other figure too. */
function directly(ports: readonly number[]): System {
  return {
    name: 'direct',
    target: { address: '127.0.0.1', port: ports[0] ?? 0 },
    parts: new Map(),
    busMessages: async () => 0,
    [Symbol.asyncDispose]: async () => {},
  }
}

async function start(
  { only, policy, profile, workers, share, listen }: Options,
  ports: readonly number[],
  owned: AsyncDisposableStack,
): Promise<System[]> {
  const wants = (name: string) => only === undefined || only === name
  const systems: System[] = []
  if (wants('direct')) systems.push(directly(ports))
  if (wants('siplb'))
    systems.push(
      owned.use(await startSiplb({ proxyPorts: ports, policy, profileDir: profile, workers, share, listen })),
    )
  if (wants('kamailio') && isKamailioInstalled()) systems.push(owned.use(await startBareKamailio(ports)))
  else if (wants('kamailio')) console.error('Kamailio is not installed: there is nothing to compare with')
  return systems
}

/** One after the other, again and again: what the machine does beside it hits all of them. */
async function inTurns(systems: readonly System[], tools: LoadTools, options: Options): Promise<Measured[]> {
  const all: Measured[] = []
  for (const rate of options.rates) {
    for (let round = 0; round < options.rounds; round++) {
      for (const system of systems) {
        const measured = await measure(system, tools, rate, options.seconds)
        all.push(measured)
        console.error(lineOf(measured))
      }
    }
  }
  return all
}

/**
 * Who measures a process that started a moment ago measures its compiler, which takes its turns on the one core once more when a new rate
 * makes other functions hot: so at the highest rate that all are sure to carry.
 */
async function warmUp(
  systems: readonly System[],
  tools: LoadTools,
  { rates, warmUpS: seconds }: Options,
): Promise<void> {
  const nothing = () => {}
  const rate = Math.min(WARM_UP_RATE, Math.max(...rates))
  for (const { target } of systems) {
    await tools.call({ target, rate, warmUpS: 0, seconds }, { onCounting: nothing, onCounted: nothing })
  }
}

async function search(systems: readonly System[], tools: LoadTools): Promise<void> {
  for (const system of systems) {
    const rate = await highestRate(system, tools, (tried, isCarried) =>
      console.error(`${lineOf(tried)}: ${isCarried ? 'carried' : 'too much'}`),
    )
    console.log(`Highest rate of ${system.name}: ${rate} calls/s`)
  }
}

function lineOf(one: Measured): string {
  const refused = Object.entries(one.refusals).map(([status, count]) => ` ${count} x ${status}`)
  const again = `${one.retransmitted} + ${one.extraAtProxies}`
  return `  ${one.system} ${one.rate}/s: ${one.microsPerCall.toFixed(0)} µs, p99 ${one.p99Ms.toFixed(1)} ms, ${one.offered} begun, ${one.failed} failed,${refused.join('')} ${again} sent again, tools ${percent(one.toolLoad)}`
}

const options = optionsOrExit()
await using owned = new AsyncDisposableStack()
const tools = owned.use(await startLoadTools(options.proxies))
const systems = await start(options, tools.ports, owned)
await warmUp(systems, tools, options)
if (options.search) await search(systems, tools)
else {
  const all = await inTurns(systems, tools, options)
  console.log([tableOf(all), '', ...ratiosOf(all), ...sharesOf(all), ...warningsOf(all)].join('\n'))
}
