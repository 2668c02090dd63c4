import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface FoundNatsServer {
  readonly path: string
  /** `path`: installed on this machine; `cache`: fetched at an earlier start; `package`: fetched just now. */
  readonly origin: 'path' | 'cache' | 'package'
}

export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Where to look for an installed one. Default: PATH, then /usr/sbin, where Debian puts it and which few users have on PATH. */
  readonly directories?: readonly string[]
}

/** The file that a fetched nats-server is kept as. */
export function cachedNatsServer(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'siplb', 'nats-server')
}

/** An installed nats-server, else the cached one. */
export function findNatsServer(options: FindOptions = {}): FoundNatsServer | undefined {
  const env = options.env ?? process.env
  const directories = options.directories ?? [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const installed = directories
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'nats-server'))
    .find(isExecutable)
  if (installed !== undefined) return { path: installed, origin: 'path' }
  const cached = cachedNatsServer(env)
  return isExecutable(cached) ? { path: cached, origin: 'cache' } : undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
