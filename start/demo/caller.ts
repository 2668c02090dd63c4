import { parseArgs } from 'node:util'
import { numberOf, readAddress, usage } from './arguments.ts'
import { Callers, type CallTotals } from './callers.ts'

const help = `Somebody who calls: INVITE, ACK, a pause, BYE, at a steady rate, until it is ended.

Usage: node start/demo/caller.ts --to HOST:PORT [--rate 20] [--call-ms 2000] [--listen udp://ADDRESS:PORT] [--json]

  --to HOST:PORT   the balancer; a name is tried until it resolves, and every address that it has is called
  --rate N         calls per second (default 20)
  --call-ms N      how long a call lasts (default 2000)
  --listen         where it calls from (default: a free port)
  --json           figures once a second as JSON, for programs`

function start(): { callers: Callers; isJson: boolean } {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      rate: { type: 'string', default: '20' },
      'call-ms': { type: 'string', default: '2000' },
      listen: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return usage(help)
  const callers = new Callers({
    to: readAddress(values.to, '--to'),
    listen: values.listen === undefined ? undefined : readAddress(values.listen, '--listen'),
    ratePerSecond: numberOf(values.rate, '--rate'),
    callMs: numberOf(values['call-ms'], '--call-ms'),
    say: (text) => process.stderr.write(`${text}\n`),
  })
  return { callers, isJson: values.json }
}

function sentence({ started, completed, failed, failures, answeredBy, setupMs }: CallTotals): string {
  const answered = Object.values(answeredBy).reduce((sum, n) => sum + n, 0)
  const shares = Object.entries(answeredBy)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, n]) => `${name} ${Math.round((n / answered) * 100)} %`)
  const reasons = Object.entries(failures).map(([reason, n]) => `${n} × ${reason}`)
  const failure = failed === 0 ? '0 failed' : `${failed} failed (${reasons.join(', ')})`
  const setup = `set up in ${setupMs.p50.toFixed(0)} ms, p99 ${setupMs.p99.toFixed(0)} ms`
  return [`${started} calls started, ${completed} completed, ${failure}`, setup, ...shares].join('; ')
}

try {
  const { callers, isJson } = start()
  await callers.start()
  const tell = setInterval(() => {
    const totals = callers.totals()
    process.stdout.write(`${isJson ? JSON.stringify(totals) : sentence(totals)}\n`)
  }, 1000)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      clearInterval(tell)
      void callers.stop()
    })
  }
} catch (error) {
  usage(help, error)
}
