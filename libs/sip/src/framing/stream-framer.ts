import type { Limits } from '../message/limits.ts'
import { CR, LF } from '../message/octets.ts'
import { messageLength } from './message-length.ts'
import type { FramingProblem } from './message-length.ts'

type Piece =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** What could be told of a message whose end cannot. Nothing comes after it. */
  | { readonly kind: 'unframed'; readonly bytes: Buffer; readonly problem: FramingProblem }

/** A ping is a double CRLF between messages, to be answered with one CRLF (RFC 5626, 4.4.1). */
export type Framed = Piece | { readonly kind: 'ping' }

export interface FramerLimits {
  readonly message: Limits
  /** Octets of one message, its body included. */
  readonly buffered: number
}

const endOfHeaders = Buffer.from('\r\n\r\n')
const nothing = Buffer.alloc(0)
const ping: Framed = { kind: 'ping' }

/**
 * Cuts a stream into messages. However the octets are split, the messages are the same.
 *
 * 1. What is held begins with the first octet of a message, and is no longer than `buffered` when `push` returns.
 * 2. Memory is taken for octets that came, never for what a Content-Length says.
 * 3. Each octet is copied and searched a bounded number of times, also when they come one by one.
 * 4. Octets handed out are never written again.
 */
export class StreamFramer {
  readonly #limits: FramerLimits
  #held = nothing
  #length = 0
  /** How much of the message has been searched for the end of its headers. */
  #searched = 0
  /** Length of the message; 0 while its headers have not ended. */
  #expected = 0
  #lineEnds = 0
  #isBroken = false

  constructor(limits: FramerLimits) {
    this.#limits = limits
  }

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.#length > 0
  }

  push(chunk: Buffer): Framed[] {
    const framed: Framed[] = []
    const bytes = this.#join(chunk)
    let at = 0
    while (at < bytes.length && !this.#isBroken) {
      at = this.#skipLineEnds(bytes, at, framed)
      const found = this.#next(bytes, at)
      if (found === undefined) break
      framed.push(found)
      at += found.bytes.length
    }
    this.#keep(bytes, this.#isBroken ? bytes.length : at)
    return framed
  }

  #join(chunk: Buffer): Buffer {
    if (this.#length === 0) return chunk
    const needed = this.#length + chunk.length
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    chunk.copy(this.#held, this.#length)
    this.#length = needed
    return this.#held.subarray(0, needed)
  }

  #keep(bytes: Buffer, at: number): void {
    if (at === 0 && this.#length > 0) return
    this.#length = bytes.length - at
    // A copy: half a message must not keep a whole read alive.
    this.#held = this.#length === 0 ? nothing : Buffer.from(bytes.subarray(at))
  }

  // RFC 3261, 7.5: CRLFs before a start line are ignored; of them two are a ping, and one left over is a pong.
  #skipLineEnds(bytes: Buffer, at: number, framed: Framed[]): number {
    for (; bytes[at] === CR && bytes[at + 1] === LF; at += 2) {
      this.#lineEnds++
      if (this.#lineEnds % 2 === 0) framed.push(ping)
    }
    return at
  }

  #next(bytes: Buffer, at: number): Piece | undefined {
    if (this.#expected === 0) {
      const head = this.#head(bytes, at)
      if (head === undefined) return undefined
      const { message, buffered } = this.#limits
      const length = head.length > buffered ? 'no-end-of-headers' : messageLength(head, message, buffered)
      if (typeof length === 'string') return this.#break(head.subarray(0, buffered), length)
      this.#expected = length
    }
    const end = at + this.#expected
    return end > bytes.length ? undefined : this.#cut(bytes, at, end)
  }

  /** The header section; longer than allowed when it has no end where it may have one. */
  #head(bytes: Buffer, at: number): Buffer | undefined {
    const mark = bytes.indexOf(endOfHeaders, at + Math.max(0, this.#searched - endOfHeaders.length + 1))
    this.#searched = bytes.length - at
    if (mark >= 0) return bytes.subarray(at, mark + endOfHeaders.length)
    return this.#searched > this.#limits.buffered ? bytes.subarray(at) : undefined
  }

  #break(bytes: Buffer, problem: FramingProblem): Piece {
    this.#isBroken = true
    return { kind: 'unframed', bytes: Buffer.from(bytes), problem }
  }

  #cut(bytes: Buffer, at: number, end: number): Piece {
    this.#searched = 0
    this.#expected = 0
    this.#lineEnds = 0
    return { kind: 'message', bytes: ownBytes(bytes, at, end) }
  }
}

// A small message must not keep the whole read alive for as long as its transaction lives.
function ownBytes(bytes: Buffer, start: number, end: number): Buffer {
  const slice = bytes.subarray(start, end)
  return 2 * slice.length >= bytes.buffer.byteLength ? slice : Buffer.from(slice)
}
