import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connectStream, listenStream } from '@siplb/sip/transport'
import type {
  ConnectStream,
  ListenStream,
  Packet,
  SocketProblem,
  StreamConnection,
  StreamListener,
} from '@siplb/sip/transport'
import { Inbox } from './inbox.ts'

export interface Closing {
  readonly connection: StreamConnection
  readonly problem: SocketProblem | undefined
}

/** What handlers of a stream are told, one by one. */
export class Told {
  readonly packets = new Inbox<Packet>()
  readonly opened = new Inbox<StreamConnection>()
  readonly closings = new Inbox<Closing>()
  readonly problems = new Inbox<SocketProblem>()
  readonly onPacket = this.packets.put
  readonly onOpen = this.opened.put
  readonly onProblem = this.problems.put
  readonly onClosed = (connection: StreamConnection, problem: SocketProblem | undefined): void =>
    this.closings.put({ connection, problem })
}

const open: (() => Promise<unknown> | void)[] = []

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close()
}

export interface Listening extends Told {
  readonly listener: StreamListener
}

export async function listen(options: Partial<ListenStream> = {}, told = new Told()): Promise<Listening> {
  const listener = await listenStream({ transport: 'tcp', address: '127.0.0.1', port: 0, ...options }, told)
  open.push(() => listener.close())
  return Object.assign(told, { listener })
}

export interface Dialled extends Told {
  readonly connection: StreamConnection
}

export async function dial(options: ConnectStream): Promise<Dialled> {
  const told = new Told()
  const connection = await connectStream(options, told)
  open.push(() => connection.destroy())
  return Object.assign(told, { connection })
}

/** A peer without manners. */
export async function plain(to: StreamListener): Promise<Socket> {
  const socket = connect(to.local.port, to.local.address)
  socket.on('error', () => undefined)
  open.push(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** However it came about. */
export const gone = (socket: Socket): Promise<void> => new Promise((done) => socket.once('close', () => done()))

/** Everything that came until the other side ended. */
export async function restOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (!socket.readableEnded) await once(socket, 'end')
  return Buffer.concat(chunks).toString('latin1')
}
