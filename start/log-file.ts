import { createWriteStream } from 'node:fs'

export interface LogFile {
  readonly path: string
  readonly write: (source: string, line: string) => void
}

/** The whole log of this start; a JSON line of a service is kept as it is, other lines get their source in front. */
export function openLogFile(path: string): LogFile {
  const file = createWriteStream(path)
  // A full disk must not end the calls.
  file.on('error', () => {})
  return { path, write: (source, line) => void file.write(line.startsWith('{') ? `${line}\n` : `${source}: ${line}\n`) }
}
