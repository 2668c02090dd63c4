import { userInfo } from 'node:os'
import { startChild, type Child } from '@siplb/children'
import { freePort } from './ports.ts'
import { freezeProcess } from './process.ts'
import { waitFor } from './wait-for.ts'

export interface NameServerOptions {
  /** Options of dnsmasq, without dashes: `srv-host=_sip._udp.example.com,px1.example.com,5060,1,10`. */
  readonly records: readonly string[]
  /** Of its records. Default 60. */
  readonly ttlSeconds?: number
}

/** A real name server (Debian's dnsmasq-base) on 127.0.0.1 that knows its own records alone and denies all others. */
export interface NameServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** What it was asked, such as `SRV _sip._udp.example.com`, in order. */
  questions(): readonly string[]
  /** Starts it again with other records. */
  setRecords(records: readonly string[]): Promise<void>
  /** Frozen it hears everything and says nothing. */
  freeze(): Promise<void>
  thaw(): void
  /** Ends it: its port refuses. */
  stop(): Promise<void>
}

export async function startNameServer({ records, ttlSeconds = 60 }: NameServerOptions): Promise<NameServer> {
  const port = await freePort('udp')
  const asked: string[] = []
  const onLine = (line: string): void => void asked.push(...questionIn(line))
  const start = (own: readonly string[]) => startDnsmasq(port, [...own, `local-ttl=${ttlSeconds}`], onLine)
  let child = await start(records)
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    address: `127.0.0.1:${port}`,
    questions: () => asked,
    async setRecords(own) {
      await stop()
      child = await start(own)
    },
    freeze: () => freezeProcess(child.pid),
    thaw: () => void process.kill(child.pid, 'SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

// `no-daemon` keeps it one process under our own user; the rest keeps the machine's files and other servers out of it.
const bare = [
  'no-daemon',
  'conf-file=/dev/null',
  'no-resolv',
  'no-hosts',
  'bind-interfaces',
  'log-queries',
  'pid-file=',
]

async function startDnsmasq(port: number, own: readonly string[], onLine: (line: string) => void): Promise<Child> {
  const lines: string[] = []
  const keep = (line: string): void => {
    lines.push(line)
    onLine(line)
  }
  const user = userInfo().username
  // `local=//` alone would leave names with a dot to other servers, of which there are none: they would be refused, not denied.
  const options = [...bare, 'local=/#/', `user=${user}`, 'listen-address=127.0.0.1', `port=${port}`, ...own]
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
  const child = startChild(
    'dnsmasq',
    options.map((option) => `--${option}`),
    { env, onLine: keep },
  )
  await waitFor(() => !child.isRunning() || lines.some((line) => line.includes('started')), 10_000, 'dnsmasq to start')
  if (!child.isRunning()) throw new Error(`dnsmasq did not start:\n${lines.join('\n')}`)
  return child
}

/** `dnsmasq: query[SRV] _sip._udp.example.com from 127.0.0.1` */
function questionIn(line: string): readonly string[] {
  const [, type, name] = /query\[(\w+)\] (\S+) from/.exec(line) ?? []
  return type === undefined || name === undefined ? [] : [`${type} ${name}`]
}
