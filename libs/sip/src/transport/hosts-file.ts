import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** Addresses by name, as hosts(5) has them. */
export type Hosts = ReadonlyMap<string, readonly string[]>

/** A file that cannot be read holds nothing. */
export async function readHosts(file: string): Promise<Hosts> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return hostsIn(text)
}

export function hostsIn(text: string): Hosts {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = wordsOf(line)
    if (isIP(address) === 0) continue
    for (const name of names.map((written) => written.toLowerCase()))
      hosts.set(name, [...(hosts.get(name) ?? []), address])
  }
  return hosts
}

function wordsOf(line: string): readonly string[] {
  const comment = line.indexOf('#')
  return (comment < 0 ? line : line.slice(0, comment)).split(/[ \t\r]+/).filter((word) => word !== '')
}
