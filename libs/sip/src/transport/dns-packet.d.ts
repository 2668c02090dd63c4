/** The part of `dns-packet` (5.6.1, no types of its own) that we use. Data is checked in dns-message.ts. */
declare module 'dns-packet' {
  export interface DnsQuestion {
    readonly name: string
    readonly type: string
    readonly class?: string
  }
  export interface DnsAnswer extends DnsQuestion {
    readonly ttl?: number
    readonly data?: unknown
  }
  export interface DnsPacket {
    readonly id?: number
    readonly type?: 'query' | 'response'
    readonly flags?: number
    readonly rcode?: string
    readonly flag_tc?: boolean
    readonly questions?: readonly DnsQuestion[]
    readonly answers?: readonly DnsAnswer[]
    readonly authorities?: readonly DnsAnswer[]
  }
  export const RECURSION_DESIRED: number
  export function encode(packet: DnsPacket): Buffer
  /** @throws for anything that is no DNS message */
  export function decode(bytes: Buffer): DnsPacket
}
