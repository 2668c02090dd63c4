import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'

export interface HttpQuestion {
  readonly url: string
  /** Without one it is a GET. */
  readonly body?: { readonly type: string; readonly text: string }
  readonly accept?: string
  /** Whoever sends more is not whom we mean. */
  readonly maxOctets: number
  readonly signal: AbortSignal
}

export type HttpText =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly problem: string }

/** The body of a 200. Never rejects: what goes wrong is the answer. */
export async function askForText(question: HttpQuestion): Promise<HttpText> {
  try {
    const response = await ask(question)
    const { statusCode, statusMessage } = response
    const text = await limitedText(response, question.maxOctets)
    if (text === undefined) return { kind: 'failed', problem: `more than ${question.maxOctets} octets` }
    if (statusCode !== 200) return { kind: 'failed', problem: `HTTP ${statusCode} ${statusMessage}` }
    return { kind: 'text', text }
  } catch (error) {
    return { kind: 'failed', problem: wordsOf(error) }
  }
}

// Not by fetch: it refuses to ask the ports 5060 and 5061, where a Kamailio most often serves HTTP beside SIP over TCP.
function ask({ url, body, accept, signal }: HttpQuestion): Promise<IncomingMessage> {
  const headers: Record<string, string | number> = {}
  if (body !== undefined) {
    headers['content-type'] = body.type
    headers['content-length'] = Buffer.byteLength(body.text)
  }
  if (accept !== undefined) headers['accept'] = accept
  const request = url.startsWith('https:') ? requestTls : requestPlain
  const method = body === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    request(url, { method, headers, signal }, resolve).on('error', reject).end(body?.text)
  })
}

async function limitedText(response: IncomingMessage, maxOctets: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) continue
    octets += chunk.length
    if (octets > maxOctets) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An abort keeps its reason in the cause. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
