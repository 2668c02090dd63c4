import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Slab } from '../message/slab.ts'

/** As libs/sip/native/udp.h has it. */
const INTERFACE_VERSION = 1
const SEND_OCTETS = 512 * 1024
const WORDS = 12
const W_SOCKET = 0
const W_OFFSET = 1
const W_LENGTH = 2
const W_PORT = 3
const W_FAMILY = 4
const W_SCOPE = 9

/** Where `npm run build:native` puts it. */
const BUILT = join(import.meta.dirname, '../../native/build/udp.node')

interface Native {
  readonly interfaceVersion: number
  readonly slotOctets: number
  readonly receiveSlots: number
  readonly sendRecords: number
  start(
    memory: readonly (Buffer | Int32Array)[],
    onDatagrams: (socket: number, count: number) => void,
    onFailure: (socket: number, errno: number, address: string | undefined, port: number) => void,
  ): void
  open(address: string, port: number, reusePort: boolean, receiveBuffer: number): number
  connect(socket: number, address: string, port: number): void
  local(socket: number): [address: string, port: number]
  source(slot: number): [address: string, port: number]
  parse(address: string, words: Int32Array): boolean
  send(): void
  close(socket: number): void
  pace(intervalUs: number, busy: number, quiet: number): void
  isPaced(): boolean
}

/** Of a socket, which hears what concerns it until it is closed. */
export interface NativeHandler {
  /** @param slot where `sourceKey` and `source` find who sent it, during this call */
  datagram(bytes: Buffer, slot: number, receivedAt: number): void
  /** @param errno of the system, positive; @param remote to whom it was sent, if that was named */
  failed(errno: number, remote: { readonly address: string; readonly port: number } | undefined): void
}

/** An address as a record has it. */
export type Destination = Int32Array

/**
 * The sockets of the add-on. What comes stands in slots that it fills again with the next batch, so each datagram is copied out of
 * them; what is to be sent is copied into one piece of memory, and leaves when this turn of the event loop ends, by one system call
 * for each socket.
 */
export class NativeDoor {
  readonly #native: Native
  readonly #handlers: (NativeHandler | undefined)[] = []
  readonly #received: Buffer
  readonly #receiveRecords: Int32Array
  readonly #toSend = Buffer.alloc(SEND_OCTETS)
  readonly #sendRecords: Int32Array
  /** How many records wait; the add-on sets it back to 0. */
  readonly #queued = new Int32Array(1)
  #sendEnd = 0
  /** What datagrams are copied into before their slot is used again. */
  readonly #slab = new Slab()

  constructor(native: Native) {
    this.#native = native
    this.#received = Buffer.alloc(native.slotOctets * native.receiveSlots)
    this.#receiveRecords = new Int32Array(native.receiveSlots * WORDS)
    this.#sendRecords = new Int32Array(native.sendRecords * WORDS)
    const memory = [this.#received, this.#toSend, this.#receiveRecords, this.#sendRecords, this.#queued]
    native.start(memory, this.#onDatagrams, this.#onFailure)
  }

  /** @throws the system's error */
  open(address: string, port: number, reusePort: boolean, receiveBuffer: number, handler: NativeHandler): number {
    const socket = this.#native.open(address, port, reusePort, receiveBuffer)
    this.#handlers[socket] = handler
    return socket
  }

  /** @throws the system's error */
  connect(socket: number, address: string, port: number): void {
    this.#native.connect(socket, address, port)
  }

  close(socket: number): void {
    this.#handlers[socket] = undefined
    this.#native.close(socket)
  }

  local(socket: number): { readonly address: string; readonly port: number } {
    const [address, port] = this.#native.local(socket)
    return { address, port }
  }

  /** One number or text for each address and port. */
  sourceKey(slot: number): number | string {
    const at = slot * WORDS
    const records = this.#receiveRecords
    if (records[at + W_FAMILY] === 4)
      return ((records[at + W_FAMILY + 1] ?? 0) >>> 0) * 65_536 + (records[at + W_PORT] ?? 0)
    return records.subarray(at + W_PORT, at + W_SCOPE + 1).join()
  }

  source(slot: number): { readonly address: string; readonly port: number } {
    const [address, port] = this.#native.source(slot)
    return { address, port }
  }

  /** What `queue` wants; undefined for what is no numeric address. */
  destination(address: string): Destination | undefined {
    const words = new Int32Array(WORDS)
    return this.#native.parse(address, words) ? words.subarray(W_FAMILY, W_SCOPE + 1) : undefined
  }

  /** @param to left out for a connected socket */
  queue(socket: number, bytes: Buffer, to?: Destination, port = 0): void {
    if (this.#queued[0] === this.#native.sendRecords || this.#sendEnd + bytes.length > SEND_OCTETS) this.#native.send()
    const queued = this.#queued[0] ?? 0
    if (queued === 0) this.#sendEnd = 0
    const at = queued * WORDS
    const records = this.#sendRecords
    records[at + W_SOCKET] = socket
    records[at + W_OFFSET] = this.#sendEnd
    records[at + W_LENGTH] = bytes.length
    records[at + W_PORT] = port
    if (to === undefined) records[at + W_FAMILY] = 0
    else for (let i = 0; i < to.length; i++) records[at + W_FAMILY + i] = to[i] ?? 0
    this.#toSend.set(bytes, this.#sendEnd)
    this.#sendEnd += bytes.length
    this.#queued[0] = queued + 1
  }

  /** @param intervalMs 0: every datagram is taken at once; @param busy datagrams a second from which on they are gathered, @param quiet below which no more */
  pace(intervalMs: number, busy: number, quiet: number): void {
    this.#native.pace(intervalMs * 1000, busy, quiet)
  }

  readonly #onDatagrams = (socket: number, count: number): void => {
    const handler = this.#handlers[socket]
    const receivedAt = performance.now()
    for (let slot = 0; slot < count; slot++) {
      if (handler === undefined || this.#handlers[socket] !== handler) return
      const at = slot * WORDS
      const bytes = this.#keep(this.#receiveRecords[at + W_OFFSET] ?? 0, this.#receiveRecords[at + W_LENGTH] ?? 0)
      try {
        handler.datagram(bytes, slot, receivedAt)
      } catch (error) {
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  readonly #onFailure = (socket: number, errno: number, address: string | undefined, port: number): void => {
    this.#handlers[socket]?.failed(errno, address === undefined ? undefined : { address, port })
  }

  #keep(offset: number, length: number): Buffer {
    const kept = this.#slab.take(length)
    this.#received.copy(kept, 0, offset, offset + length)
    return kept
  }
}

export type Loaded = { readonly door: NativeDoor } | { readonly missing: string }

/** What was built on this machine, if it was, and fits. */
export function loadNative(): Loaded {
  if (!existsSync(BUILT)) return { missing: 'it is not built' }
  try {
    const built: unknown = createRequire(import.meta.url)(BUILT)
    return isNative(built) ? { door: new NativeDoor(built) } : { missing: 'what is built is of another version' }
  } catch (error) {
    return { missing: `what is built cannot be loaded: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function isNative(built: unknown): built is Native {
  const isObject = typeof built === 'object' && built !== null
  return isObject && 'interfaceVersion' in built && built.interfaceVersion === INTERFACE_VERSION
}
