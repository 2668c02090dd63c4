import { z } from 'zod'

const numericAddress = z.union([z.ipv4(), z.ipv6()])

/** Where SIP comes in. Port 0 takes a free one. */
export const listenUri = z
  .string()
  .regex(/^(udp|tcp|tls|ws|wss):\/\//, {
    error: 'must be a listening address such as udp://0.0.0.0:5060; there are udp, tcp, tls, ws and wss',
    abort: true,
  })
  .refine((text) => listenPlace(text) !== undefined, {
    error: 'must have a numeric address and a port up to 65535: udp://0.0.0.0:5060 or udp://[::]:5060',
  })

export interface ListenPlace {
  readonly transport: string
  /** As it stands in a SIP URI: IPv6 in brackets. */
  readonly host: string
  readonly port: number
}

/** The place in a listening address; undefined where it names none. */
export function listenPlace(text: string): ListenPlace | undefined {
  const [, transport = '', host = '', digits = ''] =
    /^([a-z]+):\/\/(\[[^\]]*\]|[^:]*):(0|[1-9]\d{0,4})$/i.exec(text) ?? []
  const address = host.startsWith('[') ? host.slice(1, -1) : host
  const isRight = numericAddress.safeParse(address).success && Number(digits) <= 65_535
  return isRight ? { transport, host: host.toLowerCase(), port: Number(digits) } : undefined
}
