/** A row of /proc/net/udp or udp6, proc_pid_net(5). */
export interface UdpSocket {
  readonly port: number
  /** Octets that nobody has read yet, with what the kernel needs to keep them: as they count against the buffer. */
  readonly queueBytes: number
  readonly inode: string
  /** Datagrams thrown away for want of room, since it was opened. */
  readonly drops: number
}

/** Those of these ports. */
export function parseUdpSockets(text: string, ports: ReadonlySet<number>): UdpSocket[] {
  const sockets = text.split('\n').slice(1).flatMap(parseRow)
  return sockets.filter(({ port }) => ports.has(port))
}

// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ref pointer drops
function parseRow(line: string): UdpSocket[] {
  const [, local = '', , , queues = '', , , , , inode = '', , , drops = ''] = line.trim().split(/\s+/)
  const socket = {
    port: hex(local.slice(local.indexOf(':') + 1)),
    queueBytes: hex(queues.slice(queues.indexOf(':') + 1)),
    inode,
    drops: Number.parseInt(drops, 10),
  }
  return [socket.port, socket.queueBytes, socket.drops].some(Number.isNaN) ? [] : [socket]
}

function hex(text: string): number {
  return Number.parseInt(text, 16)
}
