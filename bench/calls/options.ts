import { parseArgs } from 'node:util'

export const HELP = `npm run bench:calls [-- OPTIONS]

The whole system under calls, beside Kamailio where that is installed: CPU of all processes for each call, times, memory.
Wants a machine that does nothing else: the balancer is held to core 0, the load tools to the others.

  --rates LIST     calls per second (500,2000)
  --seconds N      that count, at each rate and in each round (8)
  --warm-up N      seconds of calls before anything counts, at the highest rate but no more than 2000/s: a compiler needs so long (20)
  --rounds N       in each of which one is measured after the other (3)
  --proxies N      behind the balancer (4)
  --workers N      of the ingress (1); all on the balancer's core
  --share N        percent of a core that each worker is held to; wants to be root
  --policy NAME    of the pool (the default one)
  --listen         to evt.sip.received, which is not written while nobody does
  --only NAME      siplb, kamailio or direct: without a balancer, the caller at the proxies
  --search         the highest rate with < 0.1 % failed and < 1 % sent again, in one of two tries
  --profile DIR    a CPU profile of the ingress, which costs it some time
  --help
`

export interface Options {
  readonly rates: readonly number[]
  readonly seconds: number
  readonly rounds: number
  readonly warmUpS: number
  readonly proxies: number
  readonly workers: number
  /** Part of a core that each worker is held to; undefined: as much as there is. */
  readonly share: number | undefined
  readonly policy: string | undefined
  readonly listen: boolean
  readonly only: string | undefined
  readonly search: boolean
  readonly profile: string | undefined
}

export function optionsOf(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rates: { type: 'string', default: '500,2000' },
      seconds: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '20' },
      proxies: { type: 'string', default: '4' },
      workers: { type: 'string', default: '1' },
      share: { type: 'string' },
      policy: { type: 'string' },
      listen: { type: 'boolean', default: false },
      only: { type: 'string' },
      search: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const { policy, listen, only, search, profile } = values
  if (only !== undefined && !['siplb', 'kamailio', 'direct'].includes(only)) {
    throw new Error(`--only ${only}: must be siplb, kamailio or direct`)
  }
  return {
    rates: values.rates.split(',').map((text) => numberOf('rates', text)),
    seconds: numberOf('seconds', values.seconds),
    rounds: numberOf('rounds', values.rounds),
    warmUpS: numberOf('warm-up', values['warm-up']),
    proxies: numberOf('proxies', values.proxies),
    workers: numberOf('workers', values.workers),
    share: values.share === undefined ? undefined : numberOf('share', values.share) / 100,
    ...{ policy, listen, only, search, profile },
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: must be a whole number above 0`)
  return value
}
