import type { Address } from '../sip/message.ts'

export type PhoneTransport = 'udp' | 'tcp' | 'tls'

export interface PhoneOptions {
  /** Its account: `sip:user@domain`. */
  readonly user: string
  readonly domain: string
  readonly password: string
  /** Where all of its requests go: the balancer, or the registrar itself. */
  readonly outbound: Address
  /** Default udp. */
  readonly transport?: PhoneTransport
  /** Of the loopback network; left out: one of its own, so that no two phones share an address. */
  readonly address?: string
  /** PEM file of the authority that it believes, over TLS. */
  readonly caPath?: string
  /** How long a registration is good for; it is renewed earlier. Default 60. */
  readonly expiresSeconds?: number
  /** How long it may take to be registered. Default 15,000. */
  readonly patienceMs?: number
}

/** `on-hold`: by itself; `held`: by the other side. */
export type CallState = 'idle' | 'setting-up' | 'established' | 'on-hold' | 'held'

/** A telephone that others wrote, registered and without a loudspeaker: it answers every call, and has one at a time. */
export interface Phone extends AsyncDisposable {
  readonly user: string
  /** `sip:user@domain` */
  readonly aor: string
  readonly address: string
  /** Starts a call, and does not wait for the answer. */
  dial(aor: string): Promise<void>
  hold(): Promise<void>
  resume(): Promise<void>
  hangUp(): Promise<void>
  callState(): Promise<CallState>
  /** What it said, SIP messages of both directions among it. */
  log(): string
}

export const aorOf = ({ user, domain }: Pick<PhoneOptions, 'user' | 'domain'>) => `sip:${user}@${domain}`
