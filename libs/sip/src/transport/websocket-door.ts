import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { VerifyClientCallbackAsync, WebSocket } from 'ws'
import type { Reason } from './socket-problem.ts'

export interface WebSocketDoor {
  /** Takes a connected socket, TCP or TLS, through the handshake. */
  admit(socket: Socket): void
}

export interface WebSocketDoorOptions {
  readonly handshakeMs: number
  /** Octets of one message. */
  readonly maxPayload: number
  readonly onOpen: (webSocket: WebSocket, socket: Socket) => void
  /** The socket is gone, or going. */
  readonly onFailure: (reason: Reason, socket: Socket) => void
}

/** Octets of the request that asks for a WebSocket. */
const MAX_HEADERS = 8_192

/** The handshake of SIP over WebSocket (RFC 7118, 4); listens nowhere itself. */
export function createWebSocketDoor({
  handshakeMs,
  maxPayload,
  onOpen,
  onFailure,
}: WebSocketDoorOptions): WebSocketDoor {
  const http = createHttp()
  // Compression costs memory and time per connection, and what it saves on small messages is little.
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    verifyClient: onlySip,
    handleProtocols: () => 'sip',
  })
  const shaking = new WeakMap<Socket, NodeJS.Timeout>()
  http.on('upgrade', (request: IncomingMessage, stream, head) => {
    const { socket } = request
    webSockets.handleUpgrade(request, stream, head, (webSocket) => {
      clearTimeout(shaking.get(socket))
      shaking.delete(socket)
      onOpen(webSocket, socket)
    })
  })
  const onClose = (socket: Socket): void => {
    clearTimeout(shaking.get(socket))
    if (shaking.delete(socket)) onFailure('websocket-handshake', socket)
  }
  const onLate = (socket: Socket): void => {
    shaking.delete(socket)
    socket.destroy()
    onFailure('handshake-deadline', socket)
  }
  const admit = (socket: Socket): void => {
    shaking.set(
      socket,
      setTimeout(() => onLate(socket), handshakeMs),
    )
    socket.once('close', () => onClose(socket))
    http.emit('connection', socket)
  }
  return { admit }
}

// RFC 9110, 15.5.22: who asks for something else is told what is spoken here.
function createHttp(): Server {
  return createServer({ maxHeaderSize: MAX_HEADERS }, (_request, response) => {
    response
      .writeHead(426, { Upgrade: 'websocket', Connection: 'Upgrade, close', 'Sec-WebSocket-Protocol': 'sip' })
      .end()
  })
}

// RFC 7118, 4.1: the client must offer "sip"; a connection without it would speak something that we do not.
const onlySip: VerifyClientCallbackAsync = ({ req }, done) => {
  const offered = (req.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim())
  done(offered.includes('sip'), 400, 'the WebSocket subprotocol has to be sip (RFC 7118)')
}
