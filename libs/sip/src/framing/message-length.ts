import { readContentLength } from '../message/content-length.ts'
import { HeaderId } from '../message/header-id.ts'
import type { Limits } from '../message/limits.ts'
import { indexLines } from '../message/line-index.ts'
import type { LineIndex } from '../message/line-index.ts'
import type { Problem } from '../message/message.ts'
import { readStartLine } from '../message/start-line.ts'

/** Why the end of a message in a stream cannot be told. */
export type FramingProblem = Problem

/**
 * The length of the message that begins with `head`, all of its header section, or why it cannot be told. Read with the
 * functions that `scan` reads with. Lines that two readers may take differently end the matter: the Content-Length of one
 * could be a body of the other.
 */
export function messageLength(head: Buffer, limits: Limits, max: number): number | FramingProblem {
  const startLine = readStartLine(head, limits)
  if (startLine.problem === 'line-end' || startLine.problem === 'start-line-size') return startLine.problem
  const index = indexLines(head, startLine.end, limits)
  if (index.problem !== undefined) return index.problem
  return index.bodyStart === head.length ? withBody(head, index, max) : 'line-end'
}

// RFC 3261, 18.3 and 20.14: on a stream Content-Length must be there; twice it would be one for each of two readers.
function withBody(head: Buffer, index: LineIndex, max: number): number | FramingProblem {
  const [line, second] = index.lines.filter((one) => one.id === HeaderId.ContentLength)
  if (line === undefined) return 'content-length'
  if (second !== undefined) return 'repeated-header'
  const length = readContentLength(head, line, max - head.length)
  return length < 0 ? 'content-length' : head.length + length
}
