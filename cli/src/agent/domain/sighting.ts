import type { MemoryUse } from './cgroup.ts'
import type { ProcessStat } from './process-stat.ts'
import type { UdpSocket } from './udp-sockets.ts'

/** What was seen of a proxy's processes at one moment. */
export interface Sighting {
  /** Monotonic milliseconds. */
  readonly at: number
  readonly processes: readonly ProcessStat[]
  /** How long each of their threads has been busy so far, in milliseconds, by thread id. */
  readonly busyMs: ReadonlyMap<number, number>
  /** How many they may use together. */
  readonly cpus: number
  readonly memory: MemoryUse
  readonly sockets: readonly UdpSocket[]
  /** What a socket's buffer holds, unless the proxy asked for another size: /proc does not tell that. */
  readonly bufferBytes: number
}
