import type { Address } from '@siplb/testkit'

/**
 * What the caller of the benchmark says. The headers that a response repeats stand together, from Via to CSeq and before
 * Max-Forwards, so that the proxies answer with a copy of these octets, and nobody parses.
 */
export interface Dialog {
  readonly number: number
  readonly local: Address
}

/** What the 200 told: where requests of the dialog go, and by whom. */
export interface Taken {
  readonly toTag: string
  readonly target: string
  readonly routes: readonly string[]
}

const sdp = [
  'v=0',
  'o=alice 2890844526 2890844526 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 49172 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n')

const usual = [
  'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, INFO',
  'Supported: replaces, timer, 100rel',
  'User-Agent: siplb-bench/1',
  '',
].join('\r\n')

const CALLEE = 'sip:bob@example.com'

export function invite(dialog: Dialog): Buffer {
  const { address, port } = dialog.local
  const contact = `Contact: <sip:alice@${address}:${port}>\r\n${usual}`
  const body = `Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`
  return octets(`${head('INVITE', CALLEE, dialog, 'i', '', [])}${contact}${body}`)
}

export function ack(dialog: Dialog, taken: Taken): Buffer {
  return inDialog('ACK', 1, dialog, 'a', taken)
}

export function bye(dialog: Dialog, taken: Taken): Buffer {
  return inDialog('BYE', 2, dialog, 'b', taken)
}

/** Of a refusal: hop by hop, with the branch of the INVITE (RFC 3261, 17.1.1.3). */
export function ackOfRefusal(dialog: Dialog, toTag: string): Buffer {
  return octets(`${head('ACK', CALLEE, dialog, 'i', toTag, [])}Content-Length: 0\r\n\r\n`)
}

function inDialog(method: string, cseq: number, dialog: Dialog, kind: string, taken: Taken): Buffer {
  const { toTag, target, routes } = taken
  return octets(`${head(method, target, dialog, kind, toTag, routes, cseq)}Content-Length: 0\r\n\r\n`)
}

function head(
  method: string,
  uri: string,
  { number, local }: Dialog,
  kind: string,
  toTag: string,
  routes: readonly string[],
  cseq = 1,
): string {
  const via = `Via: SIP/2.0/UDP ${local.address}:${local.port};rport;branch=z9hG4bK-bench-${kind}${number}`
  const from = `From: "Alice" <sip:alice@example.com>;tag=a${number}`
  const to = `To: <${CALLEE}>${toTag === '' ? '' : `;tag=${toTag}`}`
  const route = routes.map((value) => `Route: ${value}\r\n`).join('')
  const ids = `Call-ID: ${number}.bench@example.com\r\nCSeq: ${cseq} ${method}`
  return `${method} ${uri} SIP/2.0\r\n${via}\r\n${from}\r\n${to}\r\n${ids}\r\nMax-Forwards: 70\r\n${route}`
}

/** Which call a response belongs to. */
export function callNumber(response: Buffer): number {
  const at = response.indexOf('Call-ID: ') + 9
  return decimal(response, at)
}

export function statusOf(response: Buffer): number {
  return decimal(response, 'SIP/2.0 '.length)
}

export function cseqOf(response: Buffer): number {
  return decimal(response, response.indexOf('CSeq: ') + 6)
}

export function readTaken(response: Buffer): Taken {
  const text = response.toString('latin1')
  const routes = [...text.matchAll(/^Record-Route: (.*)\r$/gm)].map(([, value = '']) => value)
  return {
    toTag: /^To: .*;tag=([^;\r]*)/m.exec(text)?.[1] ?? '',
    target: /^Contact: <([^>]*)>/m.exec(text)?.[1] ?? CALLEE,
    routes: routes.flatMap((value) => value.split(',')).toReversed(),
  }
}

function decimal(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; at < bytes.length; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  return value
}

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
