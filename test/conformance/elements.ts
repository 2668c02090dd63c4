import { freePort, spawnService, startKamailio } from '@siplb/testkit'
import type { RecordingProxy } from './recording-proxy.ts'
import type { Place } from './sender.ts'

/** What stands between sender and proxy, and is judged. */
export interface Element extends AsyncDisposable {
  readonly places: Readonly<Record<'udp' | 'tcp', Place>>
}

export type StartElement = (next: RecordingProxy) => Promise<Element>

const address = '127.0.0.1'

/** Nothing but the ingress: no bus, no other service. */
export async function startSiplb(next: RecordingProxy): Promise<Element> {
  const port = await freePort('udp')
  const ingress = await spawnService('ingress', {
    config: {
      nats: { servers: ['nats://127.0.0.1:1'] },
      http: { port: 0 },
      ingress: { listen: [`udp://${address}:${port}`, `tcp://${address}:${port}`] },
      pools: { default: { proxies: [{ id: 'px1', uri: `sip:${next.address}:${next.port}` }] } },
    },
  })
  const place = { address, port }
  return { places: { udp: place, tcp: place }, [Symbol.asyncDispose]: () => ingress[Symbol.asyncDispose]() }
}

/** As its examples have it: Max-Forwards is looked at, and what passes is relayed. */
export async function startPlainKamailio(next: RecordingProxy): Promise<Element> {
  const kamailio = await startKamailio({ next, relaysAll: true })
  // SIP over TCP is where it serves HTTP.
  const tcp = { address, port: Number(new URL(kamailio.rpcUrl).port) }
  const udp = { address, port: kamailio.port }
  return { places: { udp, tcp }, [Symbol.asyncDispose]: () => kamailio[Symbol.asyncDispose]() }
}

/** As it calls itself: `Kamailio 5.6.3`. */
export async function kamailioVersion(): Promise<string> {
  await using kamailio = await startKamailio({ next: { address, port: 9 } })
  const said = String(await kamailio.rpc('core.version'))
  return `Kamailio ${/\d+\.\d+\.\d+/.exec(said)?.[0] ?? said}`
}
