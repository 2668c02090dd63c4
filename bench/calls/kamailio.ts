import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild, type Child } from '@siplb/children'
import { RECEIVE_BUFFER } from '@siplb/sip/transport'
import { freePort, waitFor, type Address } from '@siplb/testkit'
import { BALANCER_CORE } from './pinning.ts'
import { familyOf } from './processes.ts'
import type { System } from './system.ts'

const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }

export function isKamailioInstalled(): boolean {
  try {
    execFileSync('kamailio', ['-v'], { env, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Kamailio as one tunes it for speed: one SIP process on the one core, the allocator `tlsf` (Debian's default is one for
 * debugging, and doubles the cost of a call), memory enough, as much room for what waits at its socket as siplb takes, nothing
 * logged, no TCP.
 */
export async function startBareKamailio(proxyPorts: readonly number[]): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-bench-kamailio-'))
  const target = { address: '127.0.0.1', port: await freePort('udp') }
  const list = join(folder, 'dispatcher.list')
  const file = join(folder, 'kamailio.cfg')
  await writeFile(list, proxyPorts.map((port) => `1 sip:127.0.0.1:${port}\n`).join(''))
  await writeFile(file, config(target, list))
  const said: string[] = []
  const memory = ['-b', String(RECEIVE_BUFFER), '-m', '1024', '-M', '16', '-x', 'tlsf', '-X', 'tlsf']
  const places = ['-Y', folder, '-P', join(folder, 'kamailio.pid')]
  const args = ['-c', BALANCER_CORE, 'kamailio', '-f', file, '-DD', '-E', ...memory, ...places]
  const child = startChild('taskset', args, { env, onLine: (line) => said.push(line) })
  const stop = async () => {
    child.kill('SIGTERM')
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitFor(() => !child.isRunning() || answers(target), 10_000, 'kamailio to answer')
    if (!child.isRunning()) throw new Error('kamailio ended at once')
  } catch (error) {
    await stop()
    throw new Error(`kamailio did not start:\n${said.slice(-20).join('\n')}`, { cause: error })
  }
  return systemOf(child, target, stop)
}

function systemOf({ pid }: Child, target: Address, stop: () => Promise<void>): System {
  return {
    ...{ name: 'kamailio', target },
    get parts() {
      return new Map([['kamailio', familyOf(pid)]])
    },
    busMessages: async () => 0,
    [Symbol.asyncDispose]: stop,
  }
}

// Round robin is the dispatcher's algorithm 4. What it cannot handle it says with a status that the caller counts.
function config({ address, port }: Address, list: string): string {
  return `#!KAMAILIO
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:${address}:${port}
${['tm', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'dispatcher'].map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("dispatcher", "list_file", "${list}")

request_route {
  if (!mf_process_maxfwd_header("70")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) t_relay();
    else if (is_method("ACK") && t_check_trans()) t_relay();
    else sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("INVITE")) record_route();
  if (!ds_select_dst("1", "4")) { sl_send_reply("503", "No Proxy"); exit; }
  if (!t_relay()) sl_reply_error();
}
`
}

/** Asked with no hop left it must refuse. */
async function answers({ address, port }: Address): Promise<boolean> {
  const socket = createSocket('udp4')
  const text = [
    `OPTIONS sip:${address}:${port} SIP/2.0`,
    'Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK-bench-there',
    'From: <sip:bench@example.com>;tag=1',
    'To: <sip:bench@example.com>',
    'Call-ID: there@example.com',
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 0',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n')
  const heard = new Promise<boolean>((resolve) => {
    socket.once('message', () => resolve(true))
    setTimeout(() => resolve(false), 200)
  })
  socket.send(text, port, address)
  const isThere = await heard
  socket.close()
  return isThere
}
