import { isIP } from 'node:net'
import type { Uri } from '../header/uri.ts'
import { Answers } from '../locating/answers.ts'
import type { Known } from '../locating/inquiry.ts'
import { locate, NO_SERVICE, type Step } from '../locating/locate.ts'
import { keyOf, type Answer, type Question } from '../locating/records.ts'
import {
  targetOfSentBy,
  targetOfUri,
  type Aim,
  type Place,
  type PlaceTransport,
  type Target,
} from '../locating/target.ts'
import { createNameService, type Ask, type NameServiceOptions } from './name-service.ts'

export type Located =
  | {
      readonly kind: 'located'
      /** At least one. */
      readonly endpoints: readonly Place[]
      /** The name service failed, or denies what it had told: this is the last good answer. */
      readonly isStale: boolean
    }
  | { readonly kind: 'unlocated'; readonly host: string; readonly code: string }

/** Where a Via says that its sender is (RFC 3261, 18.1.1). */
export interface SentBy {
  /** As in the Via: `UDP`, `TLS`, … */
  readonly transport: string
  readonly host: string
  readonly port: number | undefined
}

/** Names to endpoints, by RFC 3263. */
export interface Locator {
  /**
   * Never rejects. Endpoints in the order to be tried; among SRV records of one priority the order is drawn anew each time, so
   * who holds a connection keeps it as long as its endpoint is among them.
   */
  locate(uri: Uri): Promise<Located>
  /** The same, asked again though the answers are still good: for who hears nothing from there. At the caller's own pace. */
  locateAnew(uri: Uri): Promise<Located>
  /** For a response whose connection is gone (RFC 3263, 5). */
  locateSentBy(sentBy: SentBy): Promise<Located>
  /** What is known now without waiting, stale answers included. What is old is asked again in the background. */
  known(uri: Uri): readonly Place[] | undefined
}

export interface LocatorOptions extends NameServiceOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** That we speak, the preferred one first. Default: UDP, TCP, TLS. */
  readonly transports?: readonly PlaceTransport[]
  /** Instead of hosts file, system and name servers. */
  readonly ask?: Ask
}

export function createLocator(options: LocatorOptions): Locator {
  const finder = new Finder(options)
  return {
    locate: (uri) => finder.find(targetOfUri(uri, isIP), uri.host),
    locateAnew: (uri) => finder.find(targetOfUri(uri, isIP), uri.host, true),
    locateSentBy: (sentBy) => finder.find(targetOfSentBy(sentBy, isIP), sentBy.host),
    known: (uri) => finder.known(targetOfUri(uri, isIP)),
  }
}

const defaultTransports: readonly PlaceTransport[] = ['udp', 'tcp', 'tls']
/** NAPTR, SRV, addresses, and one more for answers that grew old meanwhile. */
const ROUNDS = 4
/** As long as a single answer is kept. */
const KEPT_MS = 60 * 60_000
/** Looking through records for each message takes some 50 µs: `known` draws an order of SRV records ten times a second. */
const REDRAW_MS = 100
/** Between two looks for what has to be forgotten. */
const SWEEP_EVERY_MS = 60_000

interface Last {
  readonly places: readonly Place[]
  readonly at: number
}

class Finder {
  readonly #options: LocatorOptions
  readonly #ask: Ask
  readonly #answers = new Answers()
  /** Questions under way: whoever asks the same waits for the same answer. */
  readonly #asking = new Map<string, Promise<Answer>>()
  /** The same for whole targets that are looked up behind `known`. */
  readonly #renewing = new Set<string>()
  /** Where each target was found last: while new records lead to names that nobody has looked up yet, and when they lead nowhere. */
  readonly #last = new Map<string, Last>()
  /** What `known` gave last. */
  readonly #recent = new Map<string, Last>()
  #sweepAt = 0

  constructor(options: LocatorOptions) {
    this.#options = options
    this.#ask = options.ask ?? createNameService(options)
  }

  async find(aim: Aim, host: string, isAnew = false): Promise<Located> {
    if (aim.kind === 'unusable') return { kind: 'unlocated', host, code: aim.code }
    const { target } = aim
    const step = await this.#rounds(target, isAnew)
    if (step.kind === 'located') return this.#found(target, step)
    const code = step.kind === 'ask' ? 'ETIMEOUT' : step.code
    const last = code === NO_SERVICE ? undefined : this.#lastOf(target)
    if (last === undefined) return { kind: 'unlocated', host, code }
    return { kind: 'located', endpoints: last, isStale: true }
  }

  known(aim: Aim): readonly Place[] | undefined {
    if (aim.kind === 'unusable') return undefined
    const { target } = aim
    if (target.isNumeric) return this.#knownNow(target)
    const key = textOf(target)
    const recent = this.#recent.get(key)
    const now = this.#options.now()
    if (recent !== undefined && now - recent.at < REDRAW_MS) return recent.places
    const places = this.#knownNow(target)
    if (places !== undefined) this.#recent.set(key, { places, at: now })
    return places
  }

  #knownNow(target: Target): readonly Place[] | undefined {
    const now = this.#options.now()
    const step = this.#step(target, (question) => this.#answers.last(question, now))
    if (step.kind === 'located') return this.#found(target, step).endpoints
    const last = this.#lastOf(target)
    if (last !== undefined) this.#renew(target)
    return last
  }

  async #rounds(target: Target, isAnew = false): Promise<Step> {
    // An answer whose time is zero serves the one who asked for it.
    const asked = new Map<string, Answer>()
    const known: Known = (question) =>
      asked.get(keyOf(question)) ?? (isAnew ? undefined : this.#answers.fresh(question, this.#options.now()))
    let step = this.#step(target, known)
    for (let round = 0; round < ROUNDS && step.kind === 'ask'; round++) {
      const answers = step.questions.map(async (question) => asked.set(keyOf(question), await this.#answerTo(question)))
      await Promise.all(answers)
      step = this.#step(target, known)
    }
    return step
  }

  #step(target: Target, known: Known): Step {
    const { random, transports = defaultTransports } = this.#options
    return locate(target, known, { random, transports })
  }

  #found(
    target: Target,
    { places, isStale, used }: Extract<Step, { kind: 'located' }>,
  ): Extract<Located, { kind: 'located' }> {
    const now = this.#options.now()
    if (!target.isNumeric && !isStale) this.#last.set(textOf(target), { places, at: now })
    for (const question of used) if (this.#answers.isDue(question, now)) void this.#answerTo(question)
    return { kind: 'located', endpoints: places, isStale }
  }

  #lastOf(target: Target): readonly Place[] | undefined {
    const last = this.#last.get(textOf(target))
    return last !== undefined && this.#options.now() - last.at < KEPT_MS ? last.places : undefined
  }

  #renew(target: Target): void {
    const key = textOf(target)
    if (this.#renewing.has(key)) return
    this.#renewing.add(key)
    void this.#rounds(target).then(() => this.#renewing.delete(key))
  }

  #answerTo(question: Question): Promise<Answer> {
    const key = keyOf(question)
    const underWay = this.#asking.get(key)
    if (underWay !== undefined) return underWay
    const answer = this.#askAnew(question).finally(() => this.#asking.delete(key))
    this.#asking.set(key, answer)
    return answer
  }

  async #askAnew(question: Question): Promise<Answer> {
    const outcome = await this.#ask(question)
    const now = this.#options.now()
    this.#answers.take(question, outcome, now)
    this.#recent.clear()
    this.#sweep(now)
    return this.#answers.last(question, now) ?? { kind: 'nothing', code: 'ENODATA' }
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return
    this.#sweepAt = now + SWEEP_EVERY_MS
    this.#answers.sweep(now)
    for (const [key, { at }] of this.#last) if (now - at >= KEPT_MS) this.#last.delete(key)
  }
}

function textOf({ host, port, transport, isSecure }: Target): string {
  return `${host} ${port ?? ''} ${transport ?? ''} ${isSecure}`
}
