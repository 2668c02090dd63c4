/** Where a person looks: lines that stay, and on a terminal a block below them that is drawn anew. */
export interface Screen {
  /** A line that stays, with the time of day. */
  say(text: string): void
  /** How things stand now: a block on a terminal, else one more line when it differs from the last. */
  status(block: readonly string[], line: string): void
}

export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export function createScreen(output: Output, clock: () => Date = () => new Date()): Screen {
  return output.isTTY === true ? new TerminalScreen(output, clock) : new PlainScreen(output, clock)
}

class PlainScreen implements Screen {
  readonly #output: Output
  readonly #clock: () => Date
  #last = ''

  constructor(output: Output, clock: () => Date) {
    this.#output = output
    this.#clock = clock
  }

  say(text: string): void {
    this.#output.write(`${timeOf(this.#clock())} ${text}\n`)
  }

  status(_block: readonly string[], line: string): void {
    if (line !== '' && line !== this.#last) this.say(line)
    this.#last = line
  }
}

class TerminalScreen implements Screen {
  readonly #output: Output
  readonly #clock: () => Date
  #block: readonly string[] = []

  constructor(output: Output, clock: () => Date) {
    this.#output = output
    this.#clock = clock
  }

  say(text: string): void {
    this.#output.write(`${this.#erased()}${timeOf(this.#clock())} ${text}\n${this.#drawn()}`)
  }

  status(block: readonly string[]): void {
    const erased = this.#erased()
    // A line that wraps would take two rows, and be erased by half.
    const columns = this.#output.columns ?? 80
    this.#block = block.map((line) => line.slice(0, columns - 1))
    this.#output.write(`${erased}${this.#drawn()}`)
  }

  #drawn(): string {
    return this.#block.map((line) => `${line}\n`).join('')
  }

  // ECMA-48: so many rows up, then erase to the end.
  #erased(): string {
    return this.#block.length === 0 ? '' : `\u001b[${this.#block.length}A\u001b[0J`
  }
}

function timeOf(date: Date): string {
  return date.toTimeString().slice(0, 8)
}
