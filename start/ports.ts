import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'

export interface NeededPort {
  readonly transport: 'udp' | 'tcp'
  readonly address: string
  readonly port: number
  readonly cure: string
}

/** A sentence for each port that something else holds. */
export async function takenPorts(needed: readonly NeededPort[]): Promise<string[]> {
  const problems = await Promise.all(needed.map(problemOf))
  return problems.filter((problem) => problem !== undefined)
}

async function problemOf({ transport, address, port, cure }: NeededPort): Promise<string | undefined> {
  const code = await (transport === 'udp' ? tryUdp(address, port) : tryTcp(address, port))
  if (code === undefined) return undefined
  const cause = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`
  return `${transport} ${address}:${port} ${cause}; ${cure}`
}

function tryUdp(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.once('error', (error) => resolve(codeOf(error)))
    socket.bind(port, address, () => socket.close(() => resolve(undefined)))
  })
}

function tryTcp(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(codeOf(error)))
    server.listen(port, address, () => server.close(() => resolve(undefined)))
  })
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
