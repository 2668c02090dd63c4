import { createServer, type Socket } from 'node:net'

/**
 * Stands in for a FreeSWITCH, of which no package was at hand: it speaks the event socket as mod_event_socket's documentation
 * has it (auth, event, api status), and nothing else of it.
 */
export interface EventSocketServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Commands as they came. */
  readonly commands: readonly string[]
  readonly connections: number
  /** What `api status` tells from now on. */
  setSessions(active: number, idleCpu?: number): void
  /** Whether questions are answered. */
  setAnswering(isAnswering: boolean): void
  /** To all that asked for this event. */
  heartbeat(active: number): void
  /** The connections that are there now. */
  drop(): void
}

export async function startEventSocket({ password = 'ClueCon', port = 0 } = {}): Promise<EventSocketServer> {
  const commands: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  let isAnswering = true
  let status = statusText(0, 100)
  const reply = (text: string) => `Content-Type: command/reply\nReply-Text: ${text}\n\n`

  function answer(socket: Socket, command: string): void {
    commands.push(command)
    if (!isAnswering) return
    if (command === `auth ${password}`) socket.write(reply('+OK accepted'))
    else if (command.startsWith('auth ')) {
      const notice = 'Disconnected, goodbye.\n'
      socket.end(
        `${reply('-ERR invalid')}Content-Type: text/disconnect-notice\nContent-Length: ${notice.length}\n\n${notice}`,
      )
    } else if (command === 'event plain HEARTBEAT') socket.write(reply('+OK event listener enabled plain'))
    else if (command === 'api status') {
      socket.write(`Content-Type: api/response\nContent-Length: ${Buffer.byteLength(status)}\n\n${status}`)
    } else socket.write(reply('-ERR command not found'))
  }

  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    let text = ''
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        answer(socket, text.slice(0, end))
        text = text.slice(end + 2)
      }
    })
    socket.write('Content-Type: auth/request\n\n')
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `tcp://127.0.0.1:${address.port}`,
    port: address.port,
    commands,
    get connections() {
      return connections
    },
    setSessions: (active, idleCpu = 100) => void (status = statusText(active, idleCpu)),
    setAnswering: (is) => void (isAnswering = is),
    heartbeat(active) {
      const event = `Event-Name: HEARTBEAT\nSession-Count: ${active}\nMax-Sessions: 1000\nIdle-CPU: 100.000000\n\n`
      for (const socket of sockets)
        socket.write(`Content-Length: ${event.length}\nContent-Type: text/event-plain\n\n${event}`)
    },
    drop,
    async [Symbol.asyncDispose]() {
      drop()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function statusText(active: number, idleCpu: number): string {
  return [
    'UP 0 years, 0 days, 2 hours, 30 minutes, 15 seconds, 123 milliseconds, 456 microseconds',
    'FreeSWITCH (Version 1.10.7 -release 64bit) is ready',
    `${active + 2} session(s) since startup`,
    `${active} session(s) - peak ${active}, last 5min ${active}`,
    '0 session(s) per Sec out of max 30, peak 2, last 5min 0',
    '1000 session(s) max',
    `min idle cpu 0.00/${idleCpu.toFixed(2)}`,
    'Current Stack Size/Max 240K/8192K',
    '',
  ].join('\n')
}
