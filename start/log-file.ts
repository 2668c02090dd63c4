import { appendFileSync, renameSync, statSync } from 'node:fs'

export interface LogFile {
  readonly path: string
  readonly write: (source: string, line: string) => void
}

const MOST_BYTES = 10_000_000

/**
 * Everything that is said, added to what earlier starts left; a JSON line of a service is kept as it is, other lines get their
 * source in front. A full file becomes `….1`, in place of the one before, and a new one begins.
 */
export function openLogFile(path: string, mostBytes = MOST_BYTES): LogFile {
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const write = (source: string, line: string) => {
    const text = line.startsWith('{') ? `${line}\n` : `${source}: ${line}\n`
    try {
      if (bytes >= mostBytes) {
        bytes = 0
        renameSync(path, `${path}.1`)
      }
      appendFileSync(path, text)
      bytes += Buffer.byteLength(text)
    } catch {
      // A full disk must not end the calls.
    }
  }
  return { path, write }
}
