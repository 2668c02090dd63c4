import type { EventChannel } from '@siplb/contracts'
import { Batches } from './batches.ts'
import type { DataWriter, EventBatch } from './bus.ts'
import { parseJson } from './codec.ts'
import type { JsonPage } from './json-page.ts'

export interface WrittenEventsOptions {
  /** CloudEvents `source`. */
  readonly source: string
  /** Unique for the source. */
  readonly nextId: () => string
  readonly send: (batches: readonly Uint8Array[]) => boolean
  /** Left out: it is not known who hears them. */
  readonly audience?: {
    readonly isThere: boolean
    /** Sends them. */
    ask(batches: readonly Uint8Array[]): Promise<boolean>
  }
}

/**
 * Events of one channel, each written into its batch at once, for an object and a text of each of them would live until they are sent.
 * Only the first is held against the contract: a fault of ours shows in it, and looking at each of a hundred thousand a second would cost
 * more than all else that is done for them.
 */
export class WrittenEvents<T> implements EventBatch {
  readonly #channel: EventChannel<T>
  readonly #options: WrittenEventsOptions
  readonly #batches: Batches
  /** What is the same in all that are sent together, up to their number. */
  #head: Uint8Array = new Uint8Array()
  #page: JsonPage | undefined
  #size = 0
  /** Where the data of the first stand. */
  #firstStart = 0
  #firstEnd = 0

  constructor(channel: EventChannel<T>, options: WrittenEventsOptions, batches = new Batches()) {
    this.#channel = channel
    this.#options = options
    this.#batches = batches
  }

  get size(): number {
    return this.#size
  }

  begin(): DataWriter {
    const page = this.#beginData()
    page.open()
    return page
  }

  end(): void {
    const page = this.#page
    if (page === undefined) return
    page.close()
    this.#endData(page)
  }

  add(data: T): void {
    const page = this.#beginData()
    page.put(JSON.stringify(data))
    this.#endData(page)
  }

  get isHeard(): boolean {
    return this.#options.audience?.isThere ?? true
  }

  send(): boolean {
    return this.#size === 0 || this.#options.send(this.#take())
  }

  async ask(): Promise<boolean> {
    const { audience } = this.#options
    if (audience !== undefined && this.#size > 0) return audience.ask(this.#take())
    this.send()
    return this.isHeard
  }

  #take(): Uint8Array[] {
    this.#size = 0
    const batches = this.#batches.take()
    const [first = new Uint8Array()] = batches
    this.#channel.data.parse(parseJson(first.subarray(this.#firstStart, this.#firstEnd)))
    return batches
  }

  #beginData(): JsonPage {
    if (this.#size === 0) this.#start()
    const page = this.#batches.begin()
    page.copy(this.#head)
    page.ascii(String(this.#size))
    page.ascii('","data":')
    if (this.#size === 0) this.#firstStart = page.end
    this.#page = page
    return page
  }

  #endData(page: JsonPage): void {
    if (this.#size === 0) this.#firstEnd = page.end
    page.close()
    this.#batches.end()
    this.#size += 1
    this.#page = undefined
  }

  #start(): void {
    const { source, nextId } = this.#options
    const same = { specversion: '1.0', type: this.#channel.type, source, time: new Date().toISOString() }
    this.#head = Buffer.from(`${JSON.stringify(same).slice(0, -1)},"id":"${nextId()}.`)
    this.#batches.clear()
  }
}
