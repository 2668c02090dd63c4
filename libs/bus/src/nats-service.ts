import type { NatsConnection, Service, ServiceHandler } from 'nats'
import type { ConnectionLog } from './nats-connection.ts'

export interface Endpoint {
  readonly name: string
  readonly subject: string
  readonly queue: string
  readonly handler: ServiceHandler
}

/** Registers with the NATS services protocol, so that `nats service ls` and `stats` know this instance. */
export async function startService(
  nc: NatsConnection,
  identity: { readonly name: string; readonly instance: string; readonly version: string },
  endpoints: readonly Endpoint[],
  log: ConnectionLog,
): Promise<Service> {
  const service = await nc.services.add({
    name: identity.name,
    version: identity.version,
    description: `${identity.name} of siplb`,
    metadata: { instance: identity.instance },
  })
  for (const endpoint of endpoints) addEndpoint(service, endpoint)
  void checkDiscovery(nc, service, log)
  return service
}

export function addEndpoint(service: Service, { name, subject, queue, handler }: Endpoint): void {
  service.addEndpoint(name, { subject, queue, handler })
}

/** Registration "succeeds" without permission on `$SRV.>`, and discovery is then silently dead: so ask for ourselves. */
async function checkDiscovery(nc: NatsConnection, service: Service, log: ConnectionLog): Promise<void> {
  const { name, id } = service.info()
  try {
    await nc.request(`$SRV.PING.${name}.${id}`, undefined, { timeout: 2000 })
  } catch (error) {
    if (nc.isClosed()) return
    const problem = error instanceof Error ? error.message : String(error)
    log.warn({ problem, service: name }, 'service discovery does not answer; the NATS user needs $SRV.> and _INBOX.>')
  }
}
