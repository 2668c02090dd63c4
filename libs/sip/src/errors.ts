/** Misuse by a caller inside this process; never caused by what comes from the network. */
export class SipError extends Error {
  readonly code: 'line-break' | 'overlapping-edits' | 'not-a-request' | 'unbuildable'

  constructor(code: SipError['code'], message: string) {
    super(message)
    this.name = 'SipError'
    this.code = code
  }
}

/** Whatever becomes part of a header must not end it: otherwise a value could bring headers of its own. */
export function refuseLineBreaks(text: string): string {
  if (!hasLineBreak(text)) return text
  throw new SipError(
    'line-break',
    `a header value has a line break or NUL in it; clean it first: ${JSON.stringify(text)}`,
  )
}

/** Whether a value that came from outside, where a bare CR, LF or NUL can stand, would be refused. */
export function hasLineBreak(text: string): boolean {
  return text.includes('\r') || text.includes('\n') || text.includes('\0')
}
