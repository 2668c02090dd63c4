import { HeaderId, type SipResponse } from '@siplb/sip'
import { parseLoadBody, parseLoadHeader, type LoadReport } from './load-report.ts'

/** The places in an answer where a load may stand. Undefined: it says nothing there; `unreadable`: something else. */
export interface LoadInAnswer {
  readonly header: LoadReport | 'unreadable' | undefined
  readonly body: LoadReport | 'unreadable' | undefined
}

export function loadInAnswer(response: SipResponse, headerName: string): LoadInAnswer {
  const header = headerValue(response, headerName.toLowerCase())
  const body = jsonBody(response)
  return {
    header: header === undefined ? undefined : (parseLoadHeader(header) ?? 'unreadable'),
    body: body === undefined ? undefined : (parseLoadBody(body) ?? 'unreadable'),
  }
}

function headerValue({ bytes, lines }: SipResponse, name: string): string | undefined {
  const line = lines.find(
    ({ start, nameEnd }) =>
      nameEnd - start === name.length && bytes.toString('latin1', start, nameEnd).toLowerCase() === name,
  )
  return line === undefined ? undefined : bytes.toString('latin1', line.valueStart, line.valueEnd)
}

function jsonBody(response: SipResponse): Buffer | undefined {
  const type = response.first(HeaderId.ContentType)?.split(';', 1)[0]?.trim().toLowerCase()
  return type === 'application/json' ? response.bytes.subarray(response.bodyStart) : undefined
}
