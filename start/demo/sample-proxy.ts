import { parseArgs } from 'node:util'
import { createSampleProxy, type SampleProxy } from '@siplb/testkit'
import { numberOf, readAddress, usage } from './arguments.ts'

const help = `A SIP proxy, and the phone behind it, to look at a load balancer with: answers OPTIONS, REGISTER and calls.

Usage: node start/demo/sample-proxy.ts --listen udp://127.0.0.1:5070 [--delay-ms 5] [--name px1]

  --listen udp://ADDRESS:PORT   where it listens
  --delay-ms N                  how long it takes for every request (default 5)
  --workers N                   how many requests it serves at a time; the others wait (default: any number)
  --ring-ms N                   from 180 to 200 (default 0)
  --name NAME                   its Server header (default px)
  --load-header                 with SIP-Load in its answers: busy and waiting requests over workers`

async function start(): Promise<SampleProxy> {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string' },
      'delay-ms': { type: 'string', default: '5' },
      workers: { type: 'string' },
      'ring-ms': { type: 'string', default: '0' },
      name: { type: 'string', default: 'px' },
      'load-header': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return usage(help)
  return createSampleProxy({
    ...readAddress(values.listen, '--listen'),
    name: values.name,
    delayMs: numberOf(values['delay-ms'], '--delay-ms'),
    ringMs: numberOf(values['ring-ms'], '--ring-ms'),
    ...(values.workers === undefined ? {} : { workers: numberOf(values.workers, '--workers') }),
    loadHeader: values['load-header'],
  })
}

const proxy = await start().catch((error: unknown) => usage(help, error))
process.stdout.write(`${proxy.name} listens on udp://${proxy.address}:${proxy.port}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void proxy.stop())
