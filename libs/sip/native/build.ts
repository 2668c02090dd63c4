import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { udpDoor } from '@siplb/sip/transport'

/**
 * Builds the add-on with whatever C compiler is there; see udp.h. Never fails, for all works without it too: it says which door to
 * the system's datagrams is used from now on.
 */
const here = import.meta.dirname
const built = join(here, 'build', 'udp.node')

function headers(): string | undefined {
  const ofNode = join(dirname(dirname(process.execPath)), 'include', 'node')
  const package_ = `node_modules/node-${process.platform}-${process.arch}/include/node`
  const places = [ofNode, join(here, '../../..', package_), '/usr/include/node']
  return places.find((place) => existsSync(join(place, 'node_api.h')) && existsSync(join(place, 'uv.h')))
}

/** Why there is no add-on; undefined when there is. */
function build(): string | undefined {
  if (process.platform !== 'linux') return `recvmmsg and sendmmsg are Linux's, and this is ${process.platform}`
  const include = headers()
  if (include === undefined) return "Node's headers are not there"
  const sources = readdirSync(here).filter((name) => name.endsWith('.c'))
  const fresh = `${built}.${process.pid}`
  mkdirSync(dirname(built), { recursive: true })
  const options = ['-std=c11', '-D_DEFAULT_SOURCE', '-Wall', '-Wextra', '-O2', '-fPIC', '-shared', '-I', include]
  const compiler = process.env['CC'] ?? 'cc'
  const run = spawnSync(compiler, [...options, '-o', fresh, ...sources], { cwd: here, encoding: 'utf8' })
  if (run.error !== undefined) return `there is no C compiler "${compiler}" (${run.error.message})`
  if (run.status !== 0) return `${compiler} failed:\n${run.stderr}`
  process.stderr.write(run.stderr)
  // whole or not at all, beside processes that have the old one open
  renameSync(fresh, built)
  return undefined
}

const problem = build()
if (problem !== undefined) process.stdout.write(`no native UDP door: ${problem}\n`)
process.stdout.write(`UDP goes through the ${udpDoor().name} door\n`)
