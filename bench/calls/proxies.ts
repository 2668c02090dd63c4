import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { endWithParent, tell } from './tool-messages.ts'

/**
 * Cheap proxies, all in this one process: each answers an INVITE with 100, 180 and 200 at once, and everything else with 200. It
 * copies what a response repeats from the request, where the caller of the benchmark has put that in one piece.
 *
 *   node bench/calls/proxies.ts COUNT
 */
const COUNT = Number(process.argv[2] ?? 4)
const RECEIVE_BUFFER = 4 * 1024 * 1024

let invites = 0
let byes = 0

const [trying, ringing, ok] = ['100 Trying', '180 Ringing', '200 OK'].map((text) => Buffer.from(`SIP/2.0 ${text}`))
const empty = Buffer.from('\r\nContent-Length: 0\r\n\r\n')

function answer(socket: Socket, toTag: Buffer, contact: Buffer, request: Buffer, { port, address }: RemoteInfo): void {
  const lines = request.indexOf('\r\n')
  const say = (parts: (Buffer | undefined)[]) =>
    socket.send(
      parts.filter((part) => part !== undefined),
      port,
      address,
    )
  switch (String.fromCharCode(request[0] ?? 0)) {
    case 'I': {
      invites += 1
      const callId = request.indexOf('\r\nCall-ID')
      const end = request.indexOf('\r\nMax-Forwards')
      const [before, after] = [request.subarray(lines, callId), request.subarray(callId, end)]
      say([trying, before, after, empty])
      say([ringing, before, toTag, after, contact, empty])
      return say([ok, before, toTag, after, contact, empty])
    }
    case 'B':
      byes += 1
      return say([ok, request.subarray(lines, request.indexOf('\r\nMax-Forwards')), empty])
    case 'A':
      return
    default:
      return say([ok, Buffer.from(`\r\n${repeated(request)}`, 'latin1'), empty])
  }
}

/** Of a probe, whose headers stand in any order. */
function repeated(request: Buffer): string {
  const lines = request.toString('latin1').split('\r\n')
  return lines.filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line)).join('\r\n')
}

function open(name: string): Promise<number> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      const toTag = Buffer.from(`;tag=${name}`)
      const contact = Buffer.from(`\r\nContact: <sip:bob@127.0.0.1:${port}>`)
      socket.setRecvBufferSize(RECEIVE_BUFFER)
      socket.on('message', (bytes, from) => answer(socket, toTag, contact, bytes, from))
      resolve(port)
    })
  })
}

endWithParent()
const ports: number[] = []
for (let i = 1; i <= COUNT; i++) ports.push(await open(`px${i}`))
process.on('message', () => tell({ kind: 'counts', ports, invites, byes }))
tell({ kind: 'listening', ports, invites, byes })
