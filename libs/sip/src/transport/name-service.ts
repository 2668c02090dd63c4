import { lookup, Resolver } from 'node:dns'
import { isIP, isIPv4 } from 'node:net'
import type { Outcome, Question } from '../locating/records.ts'
import { askServers, type NameServerAddress } from './dns-client.ts'
import { readHosts, type Hosts } from './hosts-file.ts'

/** All addresses of a name by the system's own means; rejects with its error. */
export type SystemLookup = (name: string, family: 4 | 6) => Promise<readonly string[]>

export interface NameServiceOptions {
  /** `host:port`, IPv6 in brackets, 53 where there is no port; default: those of the system. */
  readonly servers?: readonly string[]
  /** Those of the system, read anew for each question. */
  readonly systemServers?: () => readonly string[]
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string
  readonly system?: SystemLookup
  readonly roundsMs?: readonly number[]
}

/** What the system tells without saying for how long. */
const LOCAL_TTL_MS = 30_000

export type Ask = (question: Question) => Promise<Outcome>

/**
 * Who knows about names, never rejects.
 *
 * * A name of the hosts file has the addresses there, and no services.
 * * A name without a dot belongs to this site: the system looks it up (search lists, mDNS, a container's names), DNS as such
 *   is not asked, and neither for services.
 * * Any other is asked of DNS; one that DNS denies, of the system, which knows search lists for those too. The latter only
 *   with the system's servers.
 */
export function createNameService(options: NameServiceOptions = {}): Ask {
  const { hostsFile = '/etc/hosts', system = systemLookup, roundsMs } = options
  return async (question) => {
    const hosts = await readHosts(hostsFile)
    const host = hostOf(question.name)
    if (hosts.has(host)) return isForAddress(question) ? addressesIn(hosts, question) : noService
    if (!host.includes('.')) return isForAddress(question) ? askSystem(system, question) : noService
    const outcome = await askServers(question, serversOf(options), roundsMs)
    const isDenied = outcome.kind === 'nothing' && outcome.code === 'ENOTFOUND' && options.servers === undefined
    return isDenied && isForAddress(question) ? askSystem(system, question) : outcome
  }
}

const noService: Outcome = { kind: 'nothing', code: 'ENODATA' }

const isForAddress = ({ type }: Question): boolean => type === 'A' || type === 'AAAA'

/** Without the labels of a service: `_sip._udp.example.com`. */
function hostOf(name: string): string {
  const labels = name.split('.')
  return labels.slice(labels.findIndex((label) => !label.startsWith('_'))).join('.')
}

function addressesIn(hosts: Hosts, { name, type }: Question): Outcome {
  return ofFamily(hosts.get(name) ?? [], type)
}

async function askSystem(system: SystemLookup, { name, type }: Question): Promise<Outcome> {
  try {
    return ofFamily(await system(name, type === 'AAAA' ? 6 : 4), type)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ENOTFOUND'
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'nothing', code } : { kind: 'failed', code }
  }
}

function ofFamily(all: readonly string[], type: Question['type']): Outcome {
  const addresses = all.filter((address) => isIP(address) !== 0 && isIPv4(address) === (type === 'A'))
  if (addresses.length === 0) return noService
  return { kind: 'records', records: addresses.map((address) => ({ type: 'address', address })), ttlMs: LOCAL_TTL_MS }
}

const systemLookup: SystemLookup = (name, family) =>
  new Promise((resolve, reject) => {
    lookup(name, { family, all: true }, (error, found) => {
      if (error === null) resolve(found.map(({ address }) => address))
      else reject(error)
    })
  })

// A new one reads the system's files as they are now.
const resolverServers = (): readonly string[] => new Resolver().getServers()

function serversOf({ servers, systemServers = resolverServers }: NameServiceOptions): readonly NameServerAddress[] {
  return (servers ?? systemServers()).flatMap((text) => serverAt(text) ?? [])
}

const DNS_PORT = 53

function serverAt(text: string): NameServerAddress | undefined {
  const [, v6, v4 = text, port = DNS_PORT] = /^(?:\[(.+)\]|([0-9.]+))(?::(\d+))?$/.exec(text) ?? []
  const address = v6 ?? v4
  const isUsable = isIP(address) !== 0 && Number(port) >= 1 && Number(port) <= 65_535
  return isUsable ? { address, port: Number(port) } : undefined
}
