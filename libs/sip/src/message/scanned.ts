import type { CSeq } from '../header/cseq.ts'
import type { NameAddr } from '../header/name-addr.ts'
import type { RouteValue } from '../header/route.ts'
import type { Uri } from '../header/uri.ts'
import type { Via } from '../header/via.ts'
import type { Facts } from './facts.ts'
import { HeaderId } from './header-id.ts'
import type { HeaderLine, Message, SipRequest, SipResponse } from './message.ts'
import type { RequestLine, StatusLine } from './start-line.ts'
import { countValues, pushValues } from './values.ts'

/** What the two kinds of message share. Made only from facts without a problem. */
abstract class ScannedMessage implements Message {
  readonly bytes: Buffer
  readonly lines: readonly HeaderLine[]
  readonly headersEnd: number
  readonly bodyStart: number
  readonly topVia: Via
  readonly callId: string
  readonly cseq: CSeq
  readonly from: NameAddr
  readonly to: NameAddr

  constructor(facts: Facts) {
    const { topVia, cseq, from, to } = facts
    if (topVia === undefined || cseq === undefined || from === undefined || to === undefined) {
      throw new TypeError('a message was made from facts with a problem; check `facts.problem` first')
    }
    this.bytes = facts.bodyEnd === facts.bytes.length ? facts.bytes : facts.bytes.subarray(0, facts.bodyEnd)
    this.lines = facts.lines
    this.headersEnd = facts.headersEnd
    this.bodyStart = facts.bodyStart
    this.topVia = topVia
    this.callId = facts.callId
    this.cseq = cseq
    this.from = from
    this.to = to
  }

  get viaCount(): number {
    let count = 0
    for (const line of this.lines) if (line.id === HeaderId.Via) count += countValues(this.bytes, line)
    return count
  }

  line(id: HeaderId): HeaderLine | undefined {
    const { lines } = this
    for (let i = 0; i < lines.length; i++) if (lines[i]?.id === id) return lines[i]
    return undefined
  }

  values(id: HeaderId): string[] {
    const values: string[] = []
    for (const line of this.lines) if (line.id === id) pushValues(this.bytes, line, id, values)
    return values
  }

  first(id: HeaderId): string | undefined {
    const line = this.line(id)
    if (line === undefined) return undefined
    const values: string[] = []
    pushValues(this.bytes, line, id, values)
    return values[0] ?? ''
  }
}

export class ScannedRequest extends ScannedMessage implements SipRequest {
  readonly kind = 'request'
  readonly method: string
  readonly requestUri: string
  readonly requestUriStart: number
  readonly requestUriEnd: number
  readonly uri: Uri
  readonly maxForwards: number | undefined
  readonly routes: readonly RouteValue[]

  constructor(
    facts: Facts,
    line: RequestLine,
    { uri, maxForwards, routes }: Pick<SipRequest, 'uri' | 'maxForwards' | 'routes'>,
  ) {
    super(facts)
    this.method = line.method
    this.requestUri = line.requestUri
    this.requestUriStart = line.requestUriStart
    this.requestUriEnd = line.requestUriEnd
    this.uri = uri
    this.maxForwards = maxForwards
    this.routes = routes
  }
}

export class ScannedResponse extends ScannedMessage implements SipResponse {
  readonly kind = 'response'
  readonly status: number
  readonly #line: StatusLine

  constructor(facts: Facts, line: StatusLine) {
    super(facts)
    this.status = line.status
    this.#line = line
  }

  /** As UTF-8: the one place in a start line where the grammar allows it. */
  get reason(): string {
    return this.bytes.toString('utf8', this.#line.reasonStart, this.#line.reasonEnd)
  }
}
