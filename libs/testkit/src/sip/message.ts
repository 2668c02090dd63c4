/**
 * SIP as plain text, for test endpoints. They read and write with code of their own on purpose: a fault of the balancer's
 * reader would go unseen if both sides shared it. Ordinary messages only; nothing here defends itself.
 */
export type Header = readonly [name: string, value: string]

export interface Request {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: readonly Header[]
  readonly body: string
}

export interface Response {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: readonly Header[]
  readonly body: string
}

export type Message = Request | Response

const longNames: Readonly<Record<string, string>> = {
  v: 'Via',
  f: 'From',
  t: 'To',
  i: 'Call-ID',
  m: 'Contact',
  l: 'Content-Length',
  c: 'Content-Type',
}

// Values of these come one to a line or with commas between; here they are always one to a line.
const lists = new Set(['via', 'route', 'record-route'])

/** Undefined for what is no SIP message, such as a keep-alive. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  const text = new TextDecoder().decode(bytes)
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [startLine = '', ...lines] = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = lines.flatMap(readHeader)
  const body = text.slice(end + 4)
  const [first = '', second = '', ...rest] = startLine.split(' ')
  if (first === 'SIP/2.0') return { kind: 'response', status: Number(second), reason: rest.join(' '), headers, body }
  return rest[0] === 'SIP/2.0' ? { kind: 'request', method: first, uri: second, headers, body } : undefined
}

function readHeader(line: string): Header[] {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).trim()
  const value = line.slice(colon + 1).trim()
  const longName = longNames[name.toLowerCase()] ?? name
  return lists.has(longName.toLowerCase()) ? splitList(value).map((v): Header => [longName, v]) : [[longName, value]]
}

function splitList(value: string): string[] {
  return value.split(/,(?![^<]*>)(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((v) => v.trim())
}

/** The Content-Length is added here. */
export function printMessage(message: Message): string {
  const startLine =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`
  const headers = message.headers.filter(([name]) => name.toLowerCase() !== 'content-length')
  const length = new TextEncoder().encode(message.body).length
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`), `Content-Length: ${length}`]
  return `${lines.join('\r\n')}\r\n\r\n${message.body}`
}

/** All values of a header, in order. */
export function valuesOf(message: Message, name: string): string[] {
  const wanted = name.toLowerCase()
  return message.headers.filter(([n]) => n.toLowerCase() === wanted).map(([, value]) => value)
}

/** The first value of a header, '' where there is none. */
export function valueOf(message: Message, name: string): string {
  return valuesOf(message, name)[0] ?? ''
}

/** A parameter of a header value, outside of `<…>`: '' for one without a value. */
export function paramOf(value: string, name: string): string | undefined {
  const params = value
    .slice(value.lastIndexOf('>') + 1)
    .split(';')
    .slice(1)
  for (const param of params) {
    const [key = '', text = ''] = param.split('=', 2)
    if (key.trim().toLowerCase() === name) return text.trim()
  }
  return undefined
}

/** The URI in a name-addr. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';', 1)[0] ?? ''
}

export function cseqOf(message: Message): { readonly number: number; readonly method: string } {
  const [number, method = ''] = valueOf(message, 'CSeq').split(/\s+/)
  return { number: Number(number), method }
}

export interface Address {
  readonly address: string
  readonly port: number
}

/** Host and port of a SIP URI or of the sent-by of a Via; 5060 where no port is given (RFC 3261, 19.1.2 and 18.2.2). */
export function addressOf(text: string): Address {
  const hostPort = text
    .replace(/^SIP\/2\.0\/\w+\s+/i, '')
    .replace(/^sips?:/i, '')
    .split(/[;?]/, 1)
    .join('')
    .replace(/^.*@/, '')
    .trim()
  const match = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(hostPort)
  return { address: match?.[1] ?? hostPort, port: Number(match?.[2] ?? 5060) }
}

/** `address:port`, with brackets where the address is IPv6. */
export function hostPort({ address, port }: Address): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
