import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '@siplb/children'
import { freePort } from './ports.ts'
import { hostPort, type Address } from './sip/message.ts'
import { waitFor } from './wait-for.ts'

export interface StunnelOptions {
  /** The TLS server to which all connections are carried. */
  readonly target: Address
  /** The authority that has to vouch for it. */
  readonly caPath: string
}

/** A stunnel in front of a TLS server, for clients that have no TLS: they connect to its address by TCP. */
export interface Stunnel extends AsyncDisposable, Address {
  log(): string
}

export async function startStunnel({ target, caPath }: StunnelOptions): Promise<Stunnel> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-stunnel-'))
  const local = { address: '127.0.0.1', port: await freePort('tcp') }
  const file = join(folder, 'stunnel.conf')
  await writeFile(
    file,
    `foreground = yes
pid =
syslog = no
[sip]
client = yes
accept = ${hostPort(local)}
connect = ${hostPort(target)}
CAfile = ${caPath}
verifyChain = yes
`,
  )
  const lines: string[] = []
  const child = startChild('stunnel', [file], { onLine: (line) => lines.push(line) })
  const dispose = async () => {
    child.kill('SIGKILL')
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const isReady = () => !child.isRunning() || lines.some((line) => line.includes('Configuration successful'))
    await waitFor(isReady, 5000, 'stunnel to be configured')
    if (!child.isRunning()) throw new Error('stunnel ended at once')
  } catch (error) {
    await dispose()
    throw new Error(`stunnel did not start:\n${lines.join('\n')}`, { cause: error })
  }
  return { ...local, log: () => lines.join('\n'), [Symbol.asyncDispose]: dispose }
}
