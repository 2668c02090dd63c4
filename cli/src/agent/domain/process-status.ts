/** What we want of /proc/[pid]/status, proc_pid_status(5). */
export interface ProcessStatus {
  /** Memory of its own. */
  readonly anonymousBytes: number
  /** Memory that it shares, such as the shared memory of a Kamailio, which each of its processes maps. */
  readonly sharedBytes: number
  readonly cpusAllowed: number
}

export function parseStatus(text: string): ProcessStatus {
  const fields = parseFields(text)
  return {
    anonymousBytes: bytesOf(fields.get('RssAnon')),
    sharedBytes: bytesOf(fields.get('RssShmem')),
    cpusAllowed: countCpus(fields.get('Cpus_allowed_list') ?? ''),
  }
}

/** MemAvailable of /proc/meminfo, proc_meminfo(5). */
export function parseAvailableBytes(meminfo: string): number {
  return bytesOf(parseFields(meminfo).get('MemAvailable'))
}

/** `0-3,8` are five; what cannot be read is one. */
function countCpus(list: string): number {
  const count = list.split(',').reduce((sum, range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return sum + (last - first + 1)
  }, 0)
  return count >= 1 ? count : 1
}

function parseFields(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]]
    }),
  )
}

/** `2140 kB`; absent, as of a kernel thread, is 0. */
function bytesOf(value: string | undefined): number {
  const kilobytes = Number.parseInt(value ?? '', 10)
  return Number.isNaN(kilobytes) ? 0 : kilobytes * 1024
}
