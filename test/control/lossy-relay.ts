import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Address } from '@siplb/testkit'

/** A relay before a proxy that loses probes on the way there, and nothing else. */
export interface LossyRelay extends AsyncDisposable {
  readonly uri: string
  loseNextProbe(): void
  /** This part of them, evenly. */
  loseProbes(part: number): void
  probes(): number
  lost(): number
}

export async function startLossyRelay(proxy: Address): Promise<LossyRelay> {
  const front = await bound()
  /** One socket towards the proxy for each sender, so that answers find their way back. */
  const ways = new Map<string, Promise<Socket>>()
  let [probes, lost, due, part] = [0, 0, 0, 0]
  const wayOf = (from: RemoteInfo) => {
    const key = `${from.address} ${from.port}`
    const known = ways.get(key)
    if (known !== undefined) return known
    const way = bound().then((socket) => {
      socket.on('message', (bytes) => front.send(bytes, from.port, from.address))
      return socket
    })
    ways.set(key, way)
    return way
  }
  const isLost = (bytes: Buffer) => {
    if (!bytes.subarray(0, 8).equals(Buffer.from('OPTIONS '))) return false
    probes += 1
    due += part
    if (due < 1) return false
    due -= 1
    lost += 1
    return true
  }
  front.on('message', (bytes, from) => {
    if (!isLost(bytes)) void wayOf(from).then((way) => way.send(bytes, proxy.port, proxy.address))
  })
  return {
    uri: `sip:127.0.0.1:${front.address().port}`,
    loseNextProbe: () => void (due = 1),
    loseProbes: (of) => void (part = of),
    probes: () => probes,
    lost: () => lost,
    async [Symbol.asyncDispose]() {
      front.close()
      for (const way of ways.values()) (await way).close()
    },
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
