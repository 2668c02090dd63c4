import { startChild, type Exit } from '@siplb/children'
import { hostPort, type Address } from './sip/message.ts'

export interface SipsakOptions {
  /** Where the request goes, whatever its URI says. */
  readonly target: Address
  /** The Request-URI; of REGISTER, the account. */
  readonly uri: string
  /** Default udp. */
  readonly transport?: 'udp' | 'tcp'
}

export interface SipsakResult {
  /** 0: answered as it wished. */
  readonly exitCode: Exit
  /** With the messages of both directions. */
  readonly output: string
}

const PATIENCE_MS = 40_000

/** One OPTIONS of the command line tool sipsak. */
export function sipsakOptions(options: SipsakOptions): Promise<SipsakResult> {
  return runSipsak(options, [])
}

/** One REGISTER of sipsak, again with credentials where it is challenged. */
export function sipsakRegister(
  options: SipsakOptions & { readonly contact: string; readonly password: string },
): Promise<SipsakResult> {
  // -i: without a Via of its own in the contact; -x: seconds until it expires.
  return runSipsak(options, ['-U', '-i', '-x', '60', '-C', options.contact, '-a', options.password])
}

// Of an address in -s it loses the last digit of a port with five: the address is always in -p.
async function runSipsak(options: SipsakOptions, more: readonly string[]): Promise<SipsakResult> {
  const { target, uri, transport = 'udp' } = options
  const lines: string[] = []
  const args = ['-vvv', '-E', transport, '-p', hostPort(target), '-s', uri, ...more]
  const child = startChild('sipsak', args, { onLine: (line) => lines.push(line) })
  const overdue = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  const exit = await child.exited
  clearTimeout(overdue)
  return { exitCode: exit, output: lines.join('\n') }
}
