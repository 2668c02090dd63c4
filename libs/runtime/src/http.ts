import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Component } from './component.ts'
import type { Logger } from './logger.ts'
import type { Registry } from './metrics.ts'

/** What `/readyz` says: able to serve or not, with facts for a person. */
export interface Readiness {
  readonly isReady: boolean
  readonly details: Readonly<Record<string, unknown>>
}

export interface HttpOptions {
  readonly address: string
  /** 0 takes a free port, which `port()` then tells. */
  readonly port: number
  readonly registry: Pick<Registry, 'contentType' | 'metrics'>
  readonly readiness: () => Readiness
  readonly log: Logger
}

export interface HttpServer extends Component {
  port(): number
}

/** `/livez`: the event loop turns. `/readyz`: able to serve. `/metrics`: Prometheus text. */
export function createHttp({ address, port, registry, readiness, log }: HttpOptions): HttpServer {
  const answer = async (path: string): Promise<[status: number, type: string, body: string]> => {
    switch (path) {
      case '/livez':
        return [200, 'application/json', '{"live":true}\n']
      case '/readyz': {
        const { isReady, details } = readiness()
        return [isReady ? 200 : 503, 'application/json', `${JSON.stringify({ ready: isReady, ...details })}\n`]
      }
      case '/metrics':
        return [200, registry.contentType, await registry.metrics()]
      default:
        return [404, 'text/plain', 'there is /livez, /readyz and /metrics\n']
    }
  }
  const server: Server = createServer((request, response) => {
    answer((request.url ?? '/').split('?', 1)[0] ?? '/').then(
      ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      (error: unknown) => {
        log.warn({ err: error }, 'http answer failed')
        response.writeHead(500).end()
      },
    )
  })
  return {
    name: 'http',
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error) => {
          reject(new Error(`http cannot listen on ${address}:${port}; ${cureOf(error)}`, { cause: error }))
        })
        server.listen(port, address, resolve)
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    port: () => addressOf(server)?.port ?? port,
  }
}

function cureOf(error: Error): string {
  const isElsewhere = 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
  return isElsewhere ? 'set http.address to one of this machine' : 'set http.port to a free one'
}

function addressOf(server: Server): AddressInfo | undefined {
  const address = server.address()
  return address === null || typeof address === 'string' ? undefined : address
}
