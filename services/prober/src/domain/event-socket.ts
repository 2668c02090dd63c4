/**
 * The framing of FreeSWITCH's event socket (mod_event_socket): headers of `Name: value`, an empty line, and as many octets more
 * as `Content-Length` says. The first frame is `Content-Type: auth/request`; commands are answered in order by `command/reply`
 * or `api/response`, and events (`text/event-plain`) come in between.
 */
export interface Frame {
  /** `auth/request`, `command/reply`, `api/response`, `text/event-plain`, `text/disconnect-notice`, `text/rude-rejection`. */
  readonly type: string
  readonly replyText: string
  readonly body: string
}

const MAX_OCTETS = 65_536
const HEADERS_END = '\n\n'

/** Takes what a TCP connection brings, in whatever pieces. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0)

  /** The frames that are complete now; `malformed` when what comes is no event socket, or too much. */
  push(chunk: Buffer): readonly Frame[] | 'malformed' {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    const frames: Frame[] = []
    for (;;) {
      const frame = this.#next()
      if (frame === undefined) return this.#buffer.length > MAX_OCTETS ? 'malformed' : frames
      if (frame === 'malformed') return frame
      frames.push(frame)
    }
  }

  #next(): Frame | 'malformed' | undefined {
    const end = this.#buffer.indexOf(HEADERS_END)
    if (end < 0) return undefined
    const headers = readHeaders(this.#buffer.toString('latin1', 0, end))
    const length = Number(headers.get('content-length') ?? 0)
    if (!Number.isInteger(length) || length < 0 || length > MAX_OCTETS) return 'malformed'
    const bodyStart = end + HEADERS_END.length
    if (this.#buffer.length < bodyStart + length) return undefined
    const body = this.#buffer.toString('utf8', bodyStart, bodyStart + length)
    this.#buffer = this.#buffer.subarray(bodyStart + length)
    return { type: headers.get('content-type') ?? '', replyText: headers.get('reply-text') ?? '', body }
  }
}

/** By names in lower case. */
export function readHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}
