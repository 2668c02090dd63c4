/** A message in octets as they are, one character each: read with no code of the balancer's. */
export interface RawMessage {
  readonly startLine: string
  readonly fields: readonly RawField[]
  readonly body: string
}

export interface RawField {
  /** In lower case, the long form. */
  readonly name: string
  /** With its folded lines and without the last CRLF. */
  readonly text: string
}

const longNames: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  l: 'content-length',
  m: 'contact',
  c: 'content-type',
}

export function readRaw(octets: Buffer): RawMessage {
  const text = octets.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  const [startLine = '', ...fields] = head.split(/\r\n(?![ \t])/)
  return { startLine, fields: fields.map(readField), body: end < 0 ? '' : text.slice(end + 4) }
}

function readField(text: string): RawField {
  const name = text.split(':', 1).join('').trim().toLowerCase()
  return { name: longNames[name] ?? name, text }
}

export function valueOf(message: RawMessage, name: string): string | undefined {
  const field = message.fields.find((one) => one.name === name)
  return field?.text.slice(field.text.indexOf(':') + 1).trim()
}
