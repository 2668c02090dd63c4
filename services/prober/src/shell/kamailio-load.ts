import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { kamailioQuestion, readKamailioAnswer, type KamailioAnswer } from '../domain/kamailio-answer.ts'

/** Two statistics are 110 octets; whoever sends more is no Kamailio. */
const MAX_OCTETS = 16_384

/** Asks a Kamailio for its transactions by JSON-RPC over HTTP. Never rejects: what goes wrong is the answer. */
export async function askKamailio(url: string, signal: AbortSignal): Promise<KamailioAnswer> {
  try {
    const response = await post(url, signal)
    const text = await limitedText(response)
    if (text === undefined) return unusable(`more than ${MAX_OCTETS} octets`)
    const { statusCode, statusMessage } = response
    return statusCode === 200 ? readKamailioAnswer(text) : unusable(`HTTP ${statusCode} ${statusMessage}`)
  } catch (error) {
    return unusable(wordsOf(error))
  }
}

// Not by fetch: it refuses to ask the ports 5060 and 5061, where a Kamailio most often serves HTTP beside SIP over TCP.
function post(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(kamailioQuestion) }
  const request = url.startsWith('https:') ? requestTls : requestPlain
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers, signal }, resolve).on('error', reject).end(kamailioQuestion)
  })
}

async function limitedText(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) continue
    octets += chunk.length
    if (octets > MAX_OCTETS) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const unusable = (problem: string): KamailioAnswer => ({ kind: 'unusable', problem })

// An abort keeps its reason in the cause.
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
