import type { Endpoint, SocketProblem } from './flow.ts'

export function problemOf(error: Error, remote: Endpoint | undefined): SocketProblem {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  return { code, message: error.message, remote }
}

const refusals: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Nobody is there, says the other side or the network (ICMP). */
export const isRefusal = (code: string): boolean => refusals.has(code)

/** Reasons of our own, beside those of the system. */
const reasons = {
  'connection-limit': 'a connection was refused: as many are open as may be',
  'address-limit': 'a connection was refused: as many are open from its address as may be',
  'header-deadline': 'a message that had begun did not end in time',
  'handshake-deadline': 'a connection was not ready for messages in time',
  'tls-handshake': 'a TLS handshake failed',
  'websocket-handshake': 'a WebSocket handshake failed',
  idle: 'nothing came or went for long',
  backlog: 'the other side does not read what it is sent',
  closed: 'the connection is closed',
} as const

export type Reason = keyof typeof reasons

export function ourProblem(code: Reason, remote: Endpoint | undefined, detail?: string): SocketProblem {
  return { code, message: detail === undefined ? reasons[code] : `${reasons[code]}: ${detail}`, remote }
}
