import { buildResponse, scan, type Malformed, type Scanned } from '@siplb/sip'
import { handleRequest } from './handle-request.ts'
import { handleResponse, judgeResponse } from './handle-response.ts'
import { judgeChallenges } from './judge-challenges.ts'
import { judgeRequest } from './judge-request.ts'
import { judgeTaken } from './judge.ts'
import { passOn } from './pass-on.ts'
import { mustBeOneMessage, readPlainly } from './plain.ts'

export interface Examined {
  readonly kind: Scanned['kind']
  /** Of reading, and of the whole way until it is sent on or answered. */
  readonly scanMs: number
  readonly wayMs: number
}

/**
 * Takes one message the whole way through the product's pure half, and holds what comes out against what is promised.
 *
 * @throws Finding where a promise does not hold, and whatever the product throws: it should throw nothing
 */
export function examine(bytes: Buffer): Examined {
  const begun = performance.now()
  const message = scan(bytes)
  const scanMs = performance.now() - begun
  passOn(message)
  const wayMs = performance.now() - begun
  judge(message, bytes)
  return { kind: message.kind, scanMs, wayMs }
}

function judge(message: Scanned, bytes: Buffer): void {
  switch (message.kind) {
    case 'keep-alive':
      return
    case 'malformed':
      return judgeMalformed(message)
    case 'request':
      judgeTaken(message, bytes)
      return judgeRequest(message, handleRequest(message))
    case 'response':
      judgeTaken(message, bytes)
      judgeChallenges(message)
      return judgeResponse(message, handleResponse(message))
  }
}

function judgeMalformed({ message, status }: Malformed): void {
  if (message === undefined) return
  mustBeOneMessage(readPlainly(buildResponse(message, { status, received: '192.0.2.77', rport: 5077 })))
}
