import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/**
 * A port of 127.0.0.1 that is free now: for programs that cannot choose one themselves. Where they can, give them 0: this
 * one may be taken by another process before it is used.
 */
export async function freePort(transport: 'udp' | 'tcp'): Promise<number> {
  return transport === 'udp' ? freeUdpPort() : freeTcpPort()
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server.address())
  server.close()
  await once(server, 'close')
  return port
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has an address')
  return address.port
}
