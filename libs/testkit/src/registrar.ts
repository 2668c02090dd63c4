import { ownAddress } from './addresses.ts'
import { startKamailioProcess, type KamailioProcess, type Rpc } from './kamailio-process.ts'
import { freePort } from './ports.ts'
import { registrarConfig } from './registrar-config.ts'
import { hostPort, type Address } from './sip/message.ts'

export interface RegistrarOptions {
  readonly name?: string
  /** Left out: one of its own, so that no phone shares it. */
  readonly address?: string
  readonly domain?: string
  readonly password?: string
  /** PEM files; with them it takes SIP over TLS too. */
  readonly tls?: { readonly certPath: string; readonly keyPath: string }
}

/** What the registrar knows of one contact of an account. */
export interface Binding {
  readonly contact: string
  /** The Path by which the contact is reached (RFC 3327); empty: directly. */
  readonly path: string
}

/** A real Kamailio as registrar and proxy of the phones of one domain. */
export interface Registrar extends KamailioProcess, Address {
  readonly name: string
  readonly domain: string
  readonly password: string
  /** `sip:address:port`; over UDP and TCP. */
  readonly uri: string
  /** With TLS. */
  readonly tlsPort: number | undefined
  bindings(user: string): Promise<Binding[]>
}

export async function startRegistrar(options: RegistrarOptions = {}): Promise<Registrar> {
  const settings = {
    address: options.address ?? ownAddress(),
    name: options.name ?? 'registrar',
    domain: options.domain ?? 'phones.test',
    password: options.password ?? 'secret',
    port: await freePort('udp'),
    rpcPort: await freePort('tcp'),
    tls: options.tls === undefined ? undefined : { ...options.tls, port: await freePort('tcp') },
  }
  const running = await startKamailioProcess(registrarConfig(settings), settings)
  const { name, address, port, domain, password, tls } = settings
  return {
    ...{ ...running, name, address, port, domain, password },
    uri: `sip:${hostPort(settings)}`,
    tlsPort: tls?.port,
    bindings: (user) => bindingsOf(running.rpc, user),
  }
}

async function bindingsOf(rpc: Rpc, user: string): Promise<Binding[]> {
  // It refuses to look up who is not there.
  const found = await rpc('ul.lookup', ['location', user]).catch(() => ({}))
  const contacts = memberOf(found, 'Contacts')
  return Array.isArray(contacts) ? contacts.map((each: unknown) => bindingIn(memberOf(each, 'Contact'))) : []
}

const bindingIn = (contact: unknown): Binding => ({
  contact: String(memberOf(contact, 'Address')),
  path: String(memberOf(contact, 'Path')).replace('[not set]', ''),
})

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return new Map<string, unknown>(Object.entries(value)).get(name)
}
