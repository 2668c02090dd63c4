/** A message read in the plainest way, with no code of the product: what another element would make of the octets. */
export interface Plain {
  readonly startLine: string
  /** Header lines with their folds, without the CRLF behind them. */
  readonly lines: readonly string[]
  readonly body: string
}

export function readPlainly(bytes: Buffer): Plain {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  must(end >= 0, 'it has an end of headers')
  const [startLine = '', ...lines] = text.slice(0, end).split(/\r\n(?![ \t])/)
  return { startLine, lines, body: text.slice(end + 4) }
}

const compact: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  l: 'content-length',
  m: 'contact',
}

/** In lower case, and in its long form. */
export function nameOf(line: string): string {
  const name = line.slice(0, line.indexOf(':')).trim().toLowerCase()
  return compact[name] ?? name
}

export function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 1).replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}

export function linesNamed({ lines }: Plain, name: string): string[] {
  return lines.filter((line) => nameOf(line) === name)
}

/** What was promised of every message, and did not hold for this one. */
class Finding extends Error {}

export function must(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Finding(promise)
}

const LINE = /^[A-Za-z0-9.!%*_+`'~-]+[ \t]*:/

/** One message, and no way to read another one out of it: every line has a name, and no octet ends a line for some only. */
export function mustBeOneMessage(plain: Plain): void {
  must(!/\r(?!\n)|(?<!\r)\n/.test([plain.startLine, ...plain.lines].join('')), 'no CR or LF stands alone in the head')
  must(!/[\r\n]/.test(plain.startLine), 'the start line is one line')
  for (const line of plain.lines) must(LINE.test(line), 'every header line has a name')
}
