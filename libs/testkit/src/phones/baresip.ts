import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { startChild } from '@siplb/children'
import { ownAddress } from '../addresses.ts'
import { freePort } from '../ports.ts'
import { waitFor } from '../wait-for.ts'
import { baresipAccount, baresipConfig } from './baresip-config.ts'
import { connectBaresip, type BaresipControl } from './baresip-control.ts'
import { aorOf, type CallState, type Phone, type PhoneOptions } from './phone.ts'

/** A baresip (package baresip-core); resolves when it is registered. */
export async function startBaresip(options: PhoneOptions): Promise<Phone> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-baresip-'))
  const settings = { ...options, address: options.address ?? ownAddress(), controlPort: await freePort('tcp') }
  await writeFile(join(folder, 'config'), baresipConfig(settings))
  await writeFile(join(folder, 'accounts'), baresipAccount(settings))
  await writeFile(join(folder, 'contacts'), '') // or it puts an example there
  const lines: string[] = []
  const isHeld = heldBy(options.user)
  let held = false
  const onLine = (colourful: string) => {
    const line = stripVTControlCharacters(colourful)
    if (!line.startsWith('ctrl_tcp: handle_command')) lines.push(line)
    held = isHeld(line)
  }
  // -s: with a trace of all SIP messages.
  const child = startChild('baresip', ['-4', '-v', '-s', '-f', folder], {
    env: { ...process.env, HOME: folder },
    onLine,
  })
  let control: BaresipControl | undefined
  const dispose = async () => {
    control?.close()
    child.kill('SIGKILL')
    await child.exited
    await rm(folder, { recursive: true, force: true })
  }
  const ask = async (command: string, params?: string) => {
    if (control === undefined) throw new Error('baresip is not connected yet')
    return stripVTControlCharacters(await control.ask(command, params))
  }
  try {
    const isReady = () => !child.isRunning() || lines.includes('baresip is ready.')
    await waitFor(isReady, 10_000, 'baresip to be ready')
    control = await connectBaresip(settings.controlPort)
    await waitFor(
      async () => / OK /.test(await ask('reginfo')),
      options.patienceMs ?? 15_000,
      'baresip to be registered',
    )
  } catch (error) {
    await dispose()
    throw new Error(`baresip did not start:\n${lines.slice(-60).join('\n')}`, { cause: error })
  }
  return {
    user: options.user,
    aor: aorOf(options),
    address: settings.address,
    dial: async (aor) => void (await ask('dial', aor)),
    hold: async () => void (await ask('hold')),
    resume: async () => void (await ask('resume')),
    hangUp: async () => void (await ask('hangup')),
    callState: async () => stateIn(await ask('listcalls'), held),
    log: () => lines.join('\n'),
    [Symbol.asyncDispose]: dispose,
  }
}

// "> [line 1]  0:00:02  ESTABLISHED  (on hold)  sip:dave@example.com"
function stateIn(calls: string, held: boolean): CallState {
  if (!calls.includes('[line')) return 'idle'
  if (!calls.includes(' ESTABLISHED ')) return 'setting-up'
  if (calls.includes('(on hold)')) return 'on-hold'
  return held ? 'held' : 'established'
}

/**
 * It does not tell that the other side holds, but its trace does: by the last offer that came in an INVITE to its
 * contact, which is `user-0x…` (RFC 3264, 8.4).
 */
function heldBy(user: string): (line: string) => boolean {
  let isOffer = false
  let isHeld = false
  return (line) => {
    if (line.endsWith(' SIP/2.0') || line.startsWith('SIP/2.0 ')) {
      isOffer = line.startsWith(`INVITE sip:${user}-0x`)
      if (isOffer) isHeld = false
    }
    if (isOffer && (line === 'a=sendonly' || line === 'a=inactive')) isHeld = true
    return isHeld
  }
}
