import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startChild, type Child } from '@siplb/children'
import { createCaller, createSampleProxy, freePort, startNats, waitFor } from '@siplb/testkit'

const main = join(import.meta.dirname, '..', 'main.ts')
let home: string
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'siplb-start-'))))
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('npm start', () => {
  it('shows within 30 s that calls complete and that a slow proxy loses weight, and ends without a trace', async () => {
    const { file } = await writeConfig()
    const start = run(['--demo', '--config', file])
    await waitFor(() => figure(start, /(\d+) completed/) >= 100, 30_000, `100 calls in ${start.output()}`)
    await waitFor(() => figure(start, /px3 up, weight (\d+)/) < 80, 30_000, `less weight for px3 in ${start.output()}`)
    expect(start.output()).toMatch(/nats +nats:\/\/127\.0\.0\.1:\d+, by \/.*nats-server \(/)
    expect(start.output()).toMatch(/ingress +ready, health at http:\/\/127\.0\.0\.1:\d+\/readyz/)
    expect(start.output()).toMatch(/weight of px3 [\d.]+ → [\d.]+: response time \d+ ms, pool/)
    expect(start.output()).toContain(' 0 failed')
    const family = descendants(start.child.pid)
    expect(family.length).toBeGreaterThanOrEqual(9) // NATS, four services, three proxies, the caller
    start.child.kill('SIGTERM')
    expect(await start.child.exited).toBe(0)
    await expectGone(family)
    expect(readdirSync(start.temporary)).toEqual([])
  })

  it('starts a service and NATS again when they die, and says so; dies as a whole when it is killed', async () => {
    const { file } = await writeConfig()
    const start = run(['--demo', '--config', file])
    await waitFor(() => figure(start, /(\d+) completed/) > 0, 30_000, `calls in ${start.output()}`)
    const family = descendants(start.child.pid)
    for (const name of ['services/weigher', 'nats-server']) process.kill(pidOf(family, name), 'SIGKILL')
    await waitFor(() => /weigher is back/.test(start.output()) && /nats is back/.test(start.output()), 15_000)
    expect(start.output()).toMatch(/weigher ended \(SIGKILL\); starting it again in 0\.5 s/)
    const later = descendants(start.child.pid)
    start.child.kill('SIGKILL')
    await start.child.exited
    await expectGone([...family, ...later])
  })

  it('runs on the proxies and the NATS of somebody else, without a caller', async () => {
    await using proxy = await createSampleProxy({ name: 'mine' })
    await using nats = await startNats()
    const { file, port } = await writeConfig([proxy.port])
    const start = run(['--config', file], { SIPLB_NATS__SERVERS: nats.url })
    await waitFor(
      () => start.output().includes('weight') || /state of px1/.test(start.output()),
      30_000,
      start.output(),
    )
    expect(start.output()).toContain(`nats      ${nats.url} (configured)`)
    await using caller = await createCaller({ target: { address: '127.0.0.1', port } })
    expect(await caller.call()).toMatchObject({ outcome: 'completed', answeredBy: 'mine' })
    expect(start.output()).not.toContain('calls ')
    start.child.kill('SIGINT')
    expect(await start.child.exited).toBe(0)
  })

  it('loads the configuration again on SIGHUP and when it changes, says once what comes of it, and keeps its log', async () => {
    await using proxy = await createSampleProxy({ name: 'mine' })
    await using nats = await startNats()
    const { file } = await writeConfig([proxy.port])
    const start = run(['--config', file], { SIPLB_NATS__SERVERS: nats.url })
    await waitFor(() => /ingress +ready/.test(start.output()) && /px1/.test(start.output()), 30_000, start.output())
    process.kill(start.child.pid, 'SIGHUP')
    await waitFor(() => start.output().includes('configuration reloaded'), 5000, start.output())
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"udp:[^"]*"/, '"udp://127.0.0.1:1"'))
    await waitFor(() => /ingress\.listen: takes effect at the next start/.test(start.output()), 5000, start.output())
    const log = () => readFileSync(join(home, 'state', 'siplb', 'start.log'), 'utf8')
    const times = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length
    // SIGHUP and the change, by each of the four.
    await waitFor(() => times(log(), /"configuration reloaded"/g) === 8, 5000, log())
    writeFileSync(file, '{}')
    await waitFor(() => times(log(), /"configuration not reloaded/g) === 4, 5000, log())
    await waitFor(() => /:1:1: pools: name at least one pool/.test(start.output()), 5000, start.output())
    expect(times(start.output(), /configuration reloaded/g)).toBe(2)
    expect(times(start.output(), /configuration not reloaded/g)).toBe(1)
    expect(times(start.output(), /name at least one pool/g)).toBe(1)
    start.child.kill('SIGTERM')
    expect(await start.child.exited).toBe(0)
    const refused = run(['--config', file])
    expect(await refused.child.exited).toBe(2)
    expect(times(log(), /^start: .* start with .*siplb\.json, process \d+$/gm)).toBe(1)
  })

  it('says which port is taken, and the cure', async () => {
    await using taken = await createSampleProxy()
    const { file } = await writeConfig()
    const start = run(['--config', file, '--set', `ingress.listen=udp://127.0.0.1:${taken.port}`])
    expect(await start.child.exited).toBe(1)
    expect(start.output()).toContain(
      `udp 127.0.0.1:${taken.port} is taken; end what listens there, or choose another: npm start -- --set ingress.listen=`,
    )
  })

  it('refuses a configuration with mistakes, each at its place', async () => {
    const file = join(home, 'wrong.yaml')
    writeFileSync(file, 'probe:\n  intervallMs: 5\npools:\n  UPPER: {}\n')
    const start = run(['--config', file])
    expect(await start.child.exited).toBe(2)
    expect(start.output()).toContain(`${file}:2:3: probe.intervallMs`)
    expect(start.output()).toContain(`${file}:4:3: pools.UPPER`)
  })
})

interface Started {
  readonly child: Child
  readonly temporary: string
  output(): string
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const lines: string[] = []
  const temporary = mkdtempSync(join(home, 'tmp-'))
  const child = startChild(process.execPath, [main, ...args, '--nats-port', '0'], {
    env: { ...process.env, XDG_STATE_HOME: join(home, 'state'), TMPDIR: temporary, ...env },
    onLine: (line) => lines.push(line),
  })
  return { child, temporary, output: () => lines.join('\n') }
}

async function writeConfig(proxyPorts?: readonly number[]) {
  const port = await freePort('udp')
  const ports = proxyPorts ?? (await Promise.all([freePort('udp'), freePort('udp'), freePort('udp')]))
  const file = join(home, 'siplb.json')
  const config = {
    http: { port: 0 },
    ingress: { listen: [`udp://127.0.0.1:${port}`], drainMs: 1000 },
    probe: { intervalMs: 500 },
    pools: { default: { proxies: ports.map((p, i) => ({ id: `px${i + 1}`, uri: `sip:127.0.0.1:${p}` })) } },
  }
  writeFileSync(file, JSON.stringify(config))
  return { file, port }
}

/** The last number that a pattern finds; NaN where there is none. */
function figure(start: Started, pattern: RegExp): number {
  return Number([...start.output().matchAll(new RegExp(pattern, 'g'))].at(-1)?.[1])
}

interface Relative {
  readonly pid: number
  readonly command: string
}

// The watchers of the children belong to init; they end with what they watch.
function descendants(pid: number): Relative[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const children = all.filter((other) => parentOf(other) === pid).map(Number)
  return children.flatMap((child) => [{ pid: child, command: commandOf(child) }, ...descendants(child)])
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
}

function pidOf(family: readonly Relative[], name: string): number {
  const found = family.find(({ command }) => command.includes(name))
  if (found === undefined) throw new Error(`no ${name} in ${family.map(({ command }) => command).join('; ')}`)
  return found.pid
}

async function expectGone(family: readonly Relative[]): Promise<void> {
  const left = () => family.filter(({ pid }) => isRunning(pid)).map(({ command }) => command)
  await expect.poll(left, { timeout: 25_000 }).toEqual([])
}

// One that nobody has waited for yet ("Z") is gone.
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
