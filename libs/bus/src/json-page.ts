import type { DataWriter } from './bus.ts'

const FIRST_OCTETS = 64 * 1024
/** Of one character in JSON: `\u0000`. */
const MOST_OCTETS = 6
const SPACE = 0x20
const END_OF_ASCII = 0x80
const [QUOTE = 0, BACKSLASH = 0, COLON = 0, COMMA = 0] = Buffer.from('"\\:,')
const [OPEN = 0, CLOSE = 0] = Buffer.from('{}')

/** Octets of JSON, written one behind the other into memory that grows to what is needed and is then used again. */
export class JsonPage implements DataWriter {
  octets: Buffer = Buffer.allocUnsafeSlow(FIRST_OCTETS)
  end = 0

  octet(value: number): void {
    this.#makeRoom(1)
    this.octets[this.end] = value
    this.end += 1
  }

  copy(octets: Uint8Array): void {
    this.#makeRoom(octets.length)
    this.octets.set(octets, this.end)
    this.end += octets.length
  }

  /** A short piece of JSON. */
  ascii(text: string): void {
    this.#makeRoom(text.length)
    this.end = putAscii(this.octets, this.end, text)
  }

  /** Any JSON. */
  put(text: string): void {
    // A character has three octets at most.
    if (text.length * 3 > this.octets.length - this.end) this.#makeRoom(Buffer.byteLength(text))
    this.end += this.octets.write(text, this.end, 'utf8')
  }

  /** Its members follow, each with a comma behind it. */
  open(): void {
    this.octet(OPEN)
  }

  close(): void {
    if (this.octets[this.end - 1] === COMMA) this.end -= 1
    this.octet(CLOSE)
  }

  text(name: string, value: string): void {
    let at = this.#name(name, value.length)
    const { octets } = this
    octets[at++] = QUOTE
    for (let i = 0; i < value.length; i++) {
      const character = value.charCodeAt(i)
      if (!isPlain(character)) return this.#escaped(value)
      octets[at++] = character
    }
    octets[at++] = QUOTE
    octets[at++] = COMMA
    this.end = at
  }

  latin1(name: string, from: Buffer, start: number, end: number): void {
    let at = this.#name(name, end - start)
    const { octets } = this
    octets[at++] = QUOTE
    for (let i = start; i < end; i++) {
      const character = from[i] ?? 0
      if (!isPlain(character)) return this.#escaped(from.toString('latin1', start, end))
      octets[at++] = character
    }
    octets[at++] = QUOTE
    octets[at++] = COMMA
    this.end = at
  }

  number(name: string, value: number): void {
    const text = String(value)
    const at = this.#name(name, text.length)
    this.end = putAscii(this.octets, at, text)
    this.octet(COMMA)
  }

  json(name: string, pieces: readonly Uint8Array[]): void {
    this.#name(name, 0)
    for (const piece of pieces) this.copy(piece)
    this.octet(COMMA)
  }

  /** Returns its end, behind which there is room for its value, a text of that length. */
  #name(name: string, length: number): number {
    this.#makeRoom(name.length + MOST_OCTETS * length + 6)
    const { octets } = this
    octets[this.end] = QUOTE
    const end = putAscii(octets, this.end + 1, name)
    octets[end] = QUOTE
    octets[end + 1] = COLON
    this.end = end + 2
    return this.end
  }

  #escaped(value: string): void {
    this.put(JSON.stringify(value))
    this.octet(COMMA)
  }

  #makeRoom(octets: number): void {
    const needed = this.end + octets
    if (needed > this.octets.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.octets.length))
    larger.set(this.octets.subarray(0, this.end))
    this.octets = larger
  }
}

/** To call into the engine for a few characters costs more than to write them. */
function putAscii(octets: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) octets[at++] = text.charCodeAt(i)
  return at
}

/** One octet that stands for itself in JSON (RFC 8259, 7). */
function isPlain(character: number): boolean {
  return character >= SPACE && character < END_OF_ASCII && character !== QUOTE && character !== BACKSLASH
}
