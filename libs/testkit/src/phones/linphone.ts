import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startChild } from '@siplb/children'
import { ownAddress } from '../addresses.ts'
import { waitFor } from '../wait-for.ts'
import { linphoneConfig } from './linphone-config.ts'
import { aorOf, type CallState, type Phone, type PhoneOptions } from './phone.ts'

const states: Readonly<Record<string, CallState>> = {
  StreamsRunning: 'established',
  Pausing: 'established',
  Paused: 'on-hold',
  PausedByRemote: 'held',
  End: 'idle',
  Error: 'idle',
}

/** A linphonec (package linphone-cli); resolves when it is registered. */
export async function startLinphone(options: PhoneOptions): Promise<Phone> {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-linphone-'))
  const settings = { ...options, address: options.address ?? ownAddress() }
  await mkdir(join(folder, '.local', 'share', 'linphone'), { recursive: true })
  await writeFile(join(folder, 'linphonerc'), linphoneConfig(settings))
  // It takes commands from its standard input, which a child of ours has not: a FIFO stands in. Opened for reading and
  // writing, or opening would wait for the other side (fifo(7)).
  const input = join(folder, 'input')
  await promisify(execFile)('mkfifo', [input])
  const commands = await open(input, 'r+')
  const lines: string[] = []
  let state: CallState = 'idle'
  let isRegistered = false
  const onLine = (line: string) => {
    lines.push(line)
    const next = /CallSession \S+ moving from state \w+ to LinphoneCall(\w+)/.exec(line)?.[1]
    // A call is released seconds after its end, when there may be another.
    if (next !== undefined && next !== 'Released') state = states[next] ?? 'setting-up'
    isRegistered ||= line.includes('to [LinphoneRegistrationOk]')
  }
  const args = ['-c', 'exec linphonec -a -d 6 -c "$1" <"$0"', input, join(folder, 'linphonerc')]
  const child = startChild('/bin/sh', args, { env: { ...process.env, HOME: folder }, cwd: folder, onLine })
  const say = async (command: string) => void (await commands.write(`${command}\n`))
  const dispose = async () => {
    child.kill('SIGKILL')
    await child.exited
    await commands.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitFor(() => !child.isRunning() || isRegistered, options.patienceMs ?? 15_000, 'linphonec to be registered')
    if (!child.isRunning()) throw new Error('linphonec ended at once')
    await say('soundcard use files')
  } catch (error) {
    await dispose()
    throw new Error(`linphonec did not start:\n${lines.slice(-80).join('\n')}`, { cause: error })
  }
  return {
    user: options.user,
    aor: aorOf(options),
    address: settings.address,
    dial: (aor) => say(`call ${aor}`),
    hold: () => say('pause'),
    resume: () => say('resume'),
    hangUp: () => say('terminate'),
    callState: async () => state,
    log: () => lines.join('\n'),
    [Symbol.asyncDispose]: dispose,
  }
}
