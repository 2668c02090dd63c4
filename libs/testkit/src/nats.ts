import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchNatsServer, findNatsServer, startNatsServer, type NatsServer } from '@siplb/nats-server'
import { freezeProcess } from './process.ts'

export interface TestNatsOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** A store that outlives the server; default: one of its own, removed with it. */
  readonly storeDir?: string
  readonly args?: readonly string[]
}

/** A real nats-server with JetStream on 127.0.0.1, with the faults that it can have. */
export interface TestNats extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly storeDir: string
  /** Ends the server for good, by SIGTERM or another signal, and removes its own store. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Ends the server at once and keeps its store: `restart` brings it back. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends the server if it still runs, and starts it again on the same port with the same store. */
  restart(): Promise<void>
  /** Frozen: connections stay open and nothing answers. */
  freeze(): Promise<void>
  thaw(): void
}

export async function startNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const { port = 0, args = [] } = options
  const storeDir = options.storeDir ?? (await mkdtemp(join(tmpdir(), 'siplb-store-')))
  const { path: binary } = findNatsServer() ?? (await fetchNatsServer())
  let server: NatsServer = await startNatsServer({ binary, port, storeDir, args })
  const first = server
  const stop = async (signal?: NodeJS.Signals) => {
    await server.stop(signal)
    if (options.storeDir === undefined) await rm(storeDir, { recursive: true, force: true })
  }
  return {
    url: first.url,
    port: first.port,
    get pid() {
      return server.pid
    },
    storeDir,
    stop,
    kill: (signal = 'SIGKILL') => server.stop(signal),
    async restart() {
      await server.stop()
      server = await startNatsServer({ binary, port: first.port, storeDir, args })
    },
    freeze: () => freezeProcess(server.pid),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    [Symbol.asyncDispose]: () => stop(),
  }
}
