import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6, connect } from 'node:net'
import type { Outcome, Question } from '../locating/records.ts'
import { encodeQuestion, readReply, type Reply } from './dns-message.ts'

export interface NameServerAddress {
  readonly address: string
  readonly port: number
}

/** How long each round waits for each server. */
const ASK_ROUNDS_MS: readonly number[] = [1000, 2000]

/**
 * Asks one server after the other, by UDP and, where the answer is too long, by TCP; never rejects. What a server says of the
 * name is taken; that it could not say (SERVFAIL, REFUSED, silence) makes us ask the next one.
 */
export async function askServers(
  question: Question,
  servers: readonly NameServerAddress[],
  roundsMs: readonly number[] = ASK_ROUNDS_MS,
): Promise<Outcome> {
  let last: Outcome = { kind: 'failed', code: 'ENOSERVER' }
  for (const waitMs of roundsMs) {
    for (const server of servers) {
      last = await askServer(question, server, waitMs)
      if (last.kind !== 'failed') return last
    }
  }
  return last
}

async function askServer(question: Question, server: NameServerAddress, waitMs: number): Promise<Outcome> {
  const reply = await settledIn(waitMs, (settle) => askByUdp(question, server, settle))
  if (reply.kind !== 'truncated') return reply
  const whole = await settledIn(waitMs, (settle) => askByTcp(question, server, settle))
  return whole.kind === 'truncated' ? { kind: 'failed', code: 'EBADRESP' } : whole
}

type Settle = (reply: Reply) => void

/** `begin` starts to ask, settles later at the earliest, and returns how to end it: that may happen twice. */
function settledIn(waitMs: number, begin: (settle: Settle) => () => void): Promise<Reply> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle({ kind: 'failed', code: 'ETIMEOUT' }), waitMs)
    const settle: Settle = (reply) => {
      clearTimeout(timer)
      end()
      resolve(reply)
    }
    const end = begin(settle)
  })
}

// RFC 5452, 9: a random number, a port of the system's choice, and a socket that hears nobody but the server. What does not
// fit is passed over, so that a forger cannot end the wait either.
function askByUdp(question: Question, { address, port }: NameServerAddress, settle: Settle): () => void {
  const id = randomInt(0x1_0000)
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const onFailure = (error: Error | null | undefined): void => {
    if (error) settle(failureOf(error))
  }
  socket.on('error', onFailure)
  socket.on('message', (bytes) => {
    const reply = readReply(bytes, id, question)
    if (reply !== undefined) settle(reply)
  })
  socket.connect(port, address, (error?: Error) => {
    if (error === undefined) socket.send(encodeQuestion(id, question), onFailure)
    else onFailure(error)
  })
  return () => closeOnce(() => socket.close())
}

/** RFC 1035, 4.2.2: two octets of length before the message. */
const LENGTH_OCTETS = 2

function askByTcp(question: Question, { address, port }: NameServerAddress, settle: Settle): () => void {
  const id = randomInt(0x1_0000)
  const socket = connect({ host: address, port })
  const chunks: Buffer[] = []
  let received = 0
  socket.on('error', (error) => settle(failureOf(error)))
  socket.on('close', () => settle({ kind: 'failed', code: 'ECONNRESET' }))
  socket.on('connect', () => socket.write(withLength(encodeQuestion(id, question))))
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    received += chunk.length
    const message = received > LENGTH_OCTETS ? wholeMessage(Buffer.concat(chunks, received)) : undefined
    if (message !== undefined) settle(readReply(message, id, question) ?? { kind: 'failed', code: 'EBADRESP' })
  })
  return () => socket.destroy()
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_OCTETS)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

function wholeMessage(octets: Buffer): Buffer | undefined {
  const end = LENGTH_OCTETS + octets.readUInt16BE()
  return octets.length < end ? undefined : octets.subarray(LENGTH_OCTETS, end)
}

function failureOf(error: Error): Outcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
  return { kind: 'failed', code }
}

// One that is closed already throws.
function closeOnce(close: () => void): void {
  try {
    close()
  } catch {
    return
  }
}
