import { once } from 'node:events'
import { connect } from 'node:net'

/** The control connection of a baresip (module ctrl_tcp): JSON in netstrings, one answer to each command, in order. */
export interface BaresipControl {
  /** The text that the command prints. */
  ask(command: string, params?: string): Promise<string>
  close(): void
}

interface Waiting {
  resolve(text: string): void
  reject(error: Error): void
}

export async function connectBaresip(port: number): Promise<BaresipControl> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const waiting: Waiting[] = []
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const { texts, rest } = netstrings(Buffer.concat([bytes, chunk]))
    bytes = rest
    for (const text of texts) answer(JSON.parse(text), waiting)
  })
  const lost = () => {
    for (const one of waiting.splice(0)) one.reject(new Error('baresip closed its control connection'))
  }
  socket.on('error', lost).on('close', lost)
  return {
    ask(command, params = '') {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      if (socket.destroyed) reject(new Error('baresip has closed its control connection'))
      else waiting.push({ resolve, reject })
      const text = JSON.stringify({ command, params })
      socket.write(`${Buffer.byteLength(text)}:${text},`)
      return promise
    },
    close: () => void socket.destroy(),
  }
}

// Events come in between; they are in its log as well.
function answer(message: unknown, waiting: Waiting[]): void {
  if (typeof message !== 'object' || message === null || !('response' in message)) return
  const text = 'data' in message && typeof message.data === 'string' ? message.data : ''
  if ('ok' in message && message.ok === true) waiting.shift()?.resolve(text)
  else waiting.shift()?.reject(new Error(`baresip refused a command: ${text}`))
}

/** `4:text,` and so on: those that are complete, and what is left of the bytes. */
function netstrings(bytes: Buffer): { texts: string[]; rest: Buffer } {
  const texts: string[] = []
  for (;;) {
    const colon = bytes.indexOf(':')
    const end = colon + 1 + Number(bytes.toString('latin1', 0, colon))
    if (colon < 0 || bytes.length <= end) return { texts, rest: bytes }
    texts.push(bytes.toString('utf8', colon + 1, end))
    bytes = bytes.subarray(end + 1)
  }
}
