import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { requestBytes } from './messages.ts'

/**
 * Sends junk, as a process of its own, at a rate and for a time:
 *
 *   node flooder.ts PORT one|many PER_SECOND SECONDS
 *
 * `one`: all from 127.66.6.6; `many`: each from an address that nobody else has. A third is noise, a third broken SIP, and a
 * third INVITEs that nothing is wrong with.
 */
const [port = 0, perSecond = 0, seconds = 0] = [process.argv[2], process.argv[4], process.argv[5]].map(Number)
const isMany = process.argv[3] === 'many'
let sent = 0
let sources = 0

function junk(n: number, address: string): Buffer {
  if (n % 3 === 0) return Buffer.from(`noise ${n}\r\n\r\n`)
  const via = `SIP/2.0/UDP ${address};rport;branch=z9hG4bKjunk${process.pid}x${n}`
  const parts = { via, callId: `junk-${process.pid}-${n}`, from: `<sip:j@example.com>;tag=${n}` }
  return n % 3 === 1 ? requestBytes({ ...parts, headers: ['Call-ID: two'] }) : requestBytes(parts)
}

async function open(address: string): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => undefined)
  socket.bind(0, address)
  await once(socket, 'listening')
  sources += 1
  return socket
}

function send(socket: Socket, address: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.send(junk(sent, address), port, '127.0.0.1', resolve)
    sent += 1
  })
}

// Spread over all of 127.64/10, so that no network is over its own limit.
const addressOf = (n: number): string => `127.${64 + (n % 61)}.${(n * 7) % 251}.${1 + ((n * 13) % 239)}`

const one = isMany ? undefined : await open('127.66.6.6')
const startedAt = performance.now()
while (performance.now() - startedAt < seconds * 1000) {
  const due = ((performance.now() - startedAt) / 1000) * perSecond
  while (sent < due) {
    const address = isMany ? addressOf(sources) : '127.66.6.6'
    const socket = one ?? (await open(address))
    await send(socket, address)
    if (isMany) socket.close()
  }
  await sleep(2)
}
one?.close()
