import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { FrameReader, type Frame } from '../../domain/event-socket.ts'
import { readHeartbeat, readStatus } from '../../domain/freeswitch-answer.ts'
import { unusable, type LoadAnswer } from '../../domain/load-answer.ts'
import { wordsOf } from './http-text.ts'
import type { LoadSourceClient, OnLoad } from './load-source.ts'

/** Where nothing else is configured, as FreeSWITCH ships. */
const DEFAULT_PASSWORD = 'ClueCon'
const FIRST_BACK_OFF_MS = 1000
const LONGEST_BACK_OFF_MS = 30_000
/** How long it may take until we are let in. */
const OPENING_MS = 5000
/** After as many questions without an answer the connection is taken for dead. */
const MOST_GIVEN_UP = 3

/**
 * The event socket of a FreeSWITCH: one connection that is kept, on which `api status` is asked, and HEARTBEAT events are
 * heard, which come by themselves every 20 s.
 */
export function askFreeswitch(url: string, passwordFile: string | undefined, onLoad: OnLoad): LoadSourceClient {
  const { hostname, port } = new URL(url)
  return new EventSocket(hostname.replace(/^\[|\]$/g, ''), Number(port || 8021), passwordFile, onLoad)
}

class EventSocket implements LoadSourceClient {
  readonly name = 'freeswitch'
  readonly #host: string
  readonly #port: number
  readonly #passwordFile: string | undefined
  readonly #onLoad: OnLoad
  #socket: Socket | undefined
  /** Set while it is not connected. */
  #problem = 'not connected yet'
  #isReady = false
  #isClosed = false
  #backOffMs = FIRST_BACK_OFF_MS
  #retry: NodeJS.Timeout | undefined
  #waiting: ((answer: LoadAnswer) => void) | undefined
  /** Questions given up whose answers still come: answers come in order. */
  #givenUp = 0

  constructor(host: string, port: number, passwordFile: string | undefined, onLoad: OnLoad) {
    this.#host = host
    this.#port = port
    this.#passwordFile = passwordFile
    this.#onLoad = onLoad
    this.#connect()
  }

  ask(signal: AbortSignal): Promise<LoadAnswer> {
    if (!this.#isReady) return Promise.resolve(unusable(this.#problem))
    return new Promise((resolve) => {
      const onAbort = () => {
        if (++this.#givenUp >= MOST_GIVEN_UP) this.#socket?.destroy(new Error('no answer any more'))
        answer(unusable(wordsOf(signal.reason)))
      }
      const answer = (told: LoadAnswer) => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting = undefined
        resolve(told)
      }
      signal.addEventListener('abort', onAbort)
      this.#waiting = answer
      this.#say('api status')
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#socket?.destroy()
  }

  #connect(): void {
    const socket = connect({ host: this.#host, port: this.#port, keepAlive: true })
    const reader = new FrameReader()
    this.#socket = socket
    this.#givenUp = 0
    let problem = 'the event socket closed the connection'
    socket.setTimeout(OPENING_MS, () => socket.destroy(new Error(`not let in within ${OPENING_MS} ms`)))
    socket.on('error', (error) => (problem = wordsOf(error)))
    socket.on('data', (chunk: Buffer) => {
      const frames = reader.push(chunk)
      const refusal = frames === 'malformed' ? 'what answers there is no event socket' : this.#takeAll(frames)
      if (refusal === undefined) return
      problem = refusal
      socket.destroy()
    })
    socket.on('close', () => this.#lost(problem))
  }

  #takeAll(frames: readonly Frame[]): string | undefined {
    for (const frame of frames) {
      const refusal = this.#take(frame)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  /** Why the connection is of no use, if it is not. */
  #take({ type, replyText, body }: Frame): string | undefined {
    switch (type) {
      case 'auth/request':
        void this.#authenticate()
        return undefined
      case 'command/reply':
        return replyText.startsWith('-ERR') ? this.#refused(replyText) : this.#accepted(replyText)
      case 'api/response':
        this.#answered(body)
        return undefined
      case 'text/event-plain':
        this.#heard(readHeartbeat(body))
        return undefined
      case 'text/rude-rejection':
        return 'refused by the access list of the event socket; let our address in (apply-inbound-acl)'
      case 'text/disconnect-notice':
        return 'FreeSWITCH ends'
      default:
        return undefined
    }
  }

  async #authenticate(): Promise<void> {
    try {
      const file = this.#passwordFile
      const password = file === undefined ? DEFAULT_PASSWORD : (await readFile(file, 'utf8')).trim()
      if (/[\r\n]/.test(password)) throw new Error(`the password in ${file} has more than one line`)
      this.#say(`auth ${password}`)
    } catch (error) {
      this.#socket?.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #accepted(replyText: string): undefined {
    if (!replyText.startsWith('+OK accepted')) return
    this.#isReady = true
    this.#socket?.setTimeout(0)
    this.#backOffMs = FIRST_BACK_OFF_MS
    this.#say('event plain HEARTBEAT')
  }

  #refused(replyText: string): string {
    return this.#isReady ? replyText : `${replyText}; put the password of the event socket into load.passwordFile`
  }

  #answered(body: string): void {
    if (this.#givenUp > 0) this.#givenUp--
    else this.#waiting?.(readStatus(body))
  }

  #heard(answer: LoadAnswer | undefined): void {
    if (answer !== undefined && !this.#isClosed) this.#onLoad(answer)
  }

  #say(command: string): void {
    this.#socket?.write(`${command}\n\n`)
  }

  #lost(problem: string): void {
    this.#isReady = false
    this.#problem = problem
    this.#waiting?.(unusable(problem))
    if (this.#isClosed) return
    this.#retry = setTimeout(() => this.#connect(), this.#backOffMs)
    this.#backOffMs = Math.min(LONGEST_BACK_OFF_MS, this.#backOffMs * 2)
  }
}
