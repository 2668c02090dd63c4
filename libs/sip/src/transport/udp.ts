import { dgramDoor } from './dgram-udp.ts'
import { nativeDoor } from './native-udp.ts'
import type { UdpDoor } from './udp-door.ts'

/** As {@link UdpDoor} says, through the door of this process. */
export const listenUdp: UdpDoor['listen'] = async (options, handlers) => udpDoor().listen(options, handlers)
/** As {@link UdpDoor} says, through the door of this process. */
export const connectUdp: UdpDoor['connect'] = async (options, handlers) => udpDoor().connect(options, handlers)

let chosen: UdpDoor | undefined

/**
 * The door of this process: the native one where it was built, else `node:dgram`. `SIPLB_UDP` asks for one of them.
 *
 * @throws when that one is not there
 */
export function udpDoor(): UdpDoor {
  chosen ??= chooseDoor(process.env['SIPLB_UDP'])
  return chosen
}

/** @throws when the door that is asked for is not there */
export function chooseDoor(wanted: string | undefined): UdpDoor {
  if (wanted === 'dgram') return dgramDoor
  if (wanted !== undefined && wanted !== '' && wanted !== 'native')
    throw new Error(`SIPLB_UDP is "${wanted}", but can be only "native" or "dgram"`)
  const native = nativeDoor()
  if ('door' in native) return native.door
  if (wanted === 'native') throw new Error(`SIPLB_UDP asks for the native door, but ${native.missing}`)
  return dgramDoor
}
