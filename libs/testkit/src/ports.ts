import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** Below where Linux takes the ports that programs do not choose (ip_local_port_range), so that none of them comes in between. */
const FIRST = 10_240
const LAST = 32_767
const TRIES = 100

/**
 * A port of 127.0.0.1 that is free now: for programs that cannot choose one themselves. Where they can, give them 0: this
 * one may be taken by another process before it is used.
 */
export async function freePort(transport: 'udp' | 'tcp'): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (await (transport === 'udp' ? isFreeUdp(port) : isFreeTcp(port))) return port
  }
  throw new Error(`no free ${transport} port was found in ${TRIES} tries between ${FIRST} and ${LAST}`)
}

function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

function isFreeTcp(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
