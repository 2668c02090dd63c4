import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { NatsServerError } from './errors.ts'
import { cachedNatsServer, type FoundNatsServer } from './find.ts'

export interface FetchOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Longest time for everything, in milliseconds. */
  readonly timeoutMs?: number
}

const execute = promisify(execFile)

const manualWay =
  'Get it by hand: install your system’s package (`apt-get install nats-server`), or put the nats-server of an official ' +
  'release (https://github.com/nats-io/nats-server/releases) on your PATH, or name a running server by SIPLB_NATS__SERVERS.'

/**
 * The operating system's own nats-server package (Debian, Ubuntu), unpacked into the cache folder. Needs no root and
 * leaves the system as it was: apt works on lists and a cache of its own, from the sources and keys of this machine.
 * Throws a `NatsServerError` (`fetch-failed`).
 */
export async function fetchNatsServer(options: FetchOptions = {}): Promise<FoundNatsServer> {
  const env = options.env ?? process.env
  const target = cachedNatsServer(env)
  const work = await mkdtemp(join(tmpdir(), 'siplb-fetch-'))
  try {
    const signal = AbortSignal.timeout(options.timeoutMs ?? 180_000)
    const binary = await unpackPackage(work, env, signal)
    await execute(binary, ['--version'], { signal })
    await keep(binary, target)
    return { path: target, origin: 'package' }
  } catch (error) {
    const reason = reasonOf(error)
    throw new NatsServerError(
      'fetch-failed',
      `nats-server is not here, and apt did not bring it: ${reason}. ${manualWay}`,
      { cause: error },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function unpackPackage(work: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const settings = join(work, 'apt.conf')
  const [lists, cache, root] = [join(work, 'lists'), join(work, 'cache'), join(work, 'root')]
  for (const folder of [join(lists, 'partial'), join(cache, 'archives', 'partial'), root])
    await mkdir(folder, { recursive: true })
  await writeFile(settings, aptSettings(lists, cache))
  const run = { cwd: work, signal, env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } }
  // One source that does not answer makes the update fail; the package may still be in another one.
  await execute('apt-get', ['-c', settings, '-qq', 'update'], run).catch(ignoreUnlessMissing)
  await execute('apt-get', ['-c', settings, '-qq', 'download', 'nats-server'], run)
  const file = (await readdir(work)).find((name) => name.endsWith('.deb'))
  if (file === undefined) throw new Error('apt-get download left no package')
  await execute('dpkg-deb', ['-x', join(work, file), root], run)
  return join(root, 'usr', 'sbin', 'nats-server')
}

// `#clear` takes away the hooks of the machine: container images clean the system's cache in them, which is not ours to touch.
function aptSettings(lists: string, cache: string): string {
  return [
    `Dir::State::Lists "${lists}/";`,
    `Dir::Cache "${cache}/";`,
    'APT::Sandbox::User "";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '',
  ].join('\n')
}

// Renamed into place, so that another start at the same time finds all of it or nothing.
async function keep(binary: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const beside = `${target}.${process.pid}`
  await copyFile(binary, beside)
  await chmod(beside, 0o755)
  await rename(beside, target)
}

function ignoreUnlessMissing(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw error
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'there is no apt-get on this machine'
  if (error.name === 'AbortError') return 'it took too long'
  const said =
    'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim().split('\n').at(-1) : undefined
  return (said === undefined || said === '' ? error.message : said).replace(/\.$/, '')
}
