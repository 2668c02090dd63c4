import { kamailioConfig } from './kamailio-config.ts'
import { startKamailioProcess, type KamailioProcess } from './kamailio-process.ts'
import { freePort } from './ports.ts'
import { hostPort, type Address } from './sip/message.ts'

export interface KamailioOptions {
  /** Where requests outside dialogs go: SIPp or a sample proxy, as the phone behind it. */
  readonly next: Address
  readonly name?: string
  readonly port?: number
  readonly rpcPort?: number
  /** SIP processes. Default 2: with a delay of 20 ms, they carry 100 INVITEs per second. */
  readonly children?: number
  /** Default true. */
  readonly recordRoute?: boolean
  /** Requests of dialogs that it knows nothing of, and OPTIONS to nobody, too. Default false. */
  readonly relaysAll?: boolean
}

/** A real Kamailio as a downstream proxy, on 127.0.0.1; Prometheus text beside its JSON-RPC, at /metrics. */
export interface Kamailio extends KamailioProcess, Address {
  readonly name: string
  /** `sip:address:port`. */
  readonly uri: string
  /** How long each INVITE holds one of its processes, from now on. */
  setDelay(delayMs: number): Promise<void>
  /** The status that every INVITE gets from now on; undefined: none. */
  setRefusal(status: number | undefined): Promise<void>
  /** The percentage of requests that its answers to OPTIONS ask to leave out (RFC 7339, for 3 s each); 0: it asks for nothing. */
  setOverload(lossPercent: number): Promise<void>
}

export async function startKamailio(options: KamailioOptions): Promise<Kamailio> {
  const settings = {
    address: '127.0.0.1',
    name: options.name ?? 'kamailio',
    next: options.next,
    port: options.port ?? (await freePort('udp')),
    rpcPort: options.rpcPort ?? (await freePort('tcp')),
    children: options.children ?? 2,
    recordRoute: options.recordRoute ?? true,
    relaysAll: options.relaysAll ?? false,
  }
  const running = await startKamailioProcess(kamailioConfig(settings), settings)
  const set = async (name: string, value: number) => void (await running.rpc('pv.shvSet', [name, 'int', value]))
  return {
    ...running,
    name: settings.name,
    address: settings.address,
    port: settings.port,
    uri: `sip:${hostPort(settings)}`,
    setDelay: (delayMs) => set('delay', Math.round(delayMs * 1000)),
    setRefusal: (status) => set('refuse', status ?? 0),
    setOverload: (lossPercent) => set('oc', lossPercent),
  }
}
