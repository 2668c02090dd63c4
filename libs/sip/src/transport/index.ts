export type { FramingProblem } from '../framing/message-length.ts'
export type { Endpoint, Flow, Packet, SocketProblem, Transport } from './flow.ts'
export { connectStream } from './connect-stream.ts'
export type { ConnectStream } from './connect-stream.ts'
export { listenStream } from './stream-listener.ts'
export type { ListenStream, ListenStreamHandlers } from './stream-listener.ts'
export { defaultStreamLimits } from './stream.ts'
export type {
  Certificate,
  StreamConnection,
  StreamHandlers,
  StreamLimits,
  StreamListener,
  TlsClient,
  TlsServer,
} from './stream.ts'
export { RECEIVE_BUFFER } from './receive-buffer.ts'
export { connectUdp, listenUdp, udpDoor } from './udp.ts'
export type {
  ConnectUdp,
  ConnectionHandlers,
  ListenHandlers,
  ListenUdp,
  UdpConnection,
  UdpDoor,
  UdpListener,
} from './udp-door.ts'
export { parseListen } from './listen-address.ts'
export type { ListenAddress } from './listen-address.ts'
export { createLocator } from './locator.ts'
export type { Located, Locator, LocatorOptions, SentBy } from './locator.ts'
export type { Place } from '../locating/target.ts'
