import { rmSync } from 'node:fs'
import { CALLS_PER_SECOND, startCaller, startSampleProxies } from './demo/demo.ts'
import type { Component } from '@siplb/runtime'
import { createReloadNews } from './reload-news.ts'
import { openLogFile } from './log-file.ts'
import { provideNats } from './nats.ts'
import { neededPorts, type Plan } from './plan.ts'
import { takenPorts } from './ports.ts'
import { listenToBus, type BusNews } from './screen/bus-news.ts'
import type { Screen } from './screen/screen.ts'
import { statusBlock, statusLine, type Calls } from './screen/status.ts'
import { startServices } from './services.ts'
import type { Supervised } from './supervise.ts'

const LOOK_MS = 1000
/** Without a demo, and without a terminal, the lines go into somebody's log. */
const LOOK_RARELY_MS = 10_000

/** Everything that runs, started in order and ended in reverse. */
export class House {
  readonly #plan: Plan
  readonly #screen: Screen
  readonly #levels: (readonly Supervised[])[] = []
  #news: BusNews | undefined
  #calls: Calls | undefined
  #services: readonly Supervised[] = []
  #reloads: Component | undefined
  #look: NodeJS.Timeout | undefined
  #isEnding = false

  constructor(plan: Plan, screen: Screen) {
    this.#plan = plan
    this.#screen = screen
  }

  /** Rejects with a sentence for a person when something does not come up. */
  async open(): Promise<void> {
    const plan = this.#plan
    const taken = await takenPorts(neededPorts(plan))
    if (taken.length > 0) throw new Error(taken.join('\n'))
    const log = openLogFile(plan.logFile)
    const mode = plan.options.isDemo ? 'demo' : 'start'
    log.write('start', `${new Date().toISOString()} ${mode} with ${plan.options.configFile}, process ${process.pid}`)
    this.#say(`log       everything in ${log.path}; warnings here`)
    const nats = await provideNats(plan, { say: this.#say, onLine: (line) => log.write('nats', line) })
    this.#levels.push(nats.supervised === undefined ? [] : [nats.supervised])
    this.#news = listenToBus({ ...plan.config.nats, servers: [...nats.servers] }, this.#say)
    this.#levels.push(await startSampleProxies(plan, this.#say, log.write))
    this.#services = await startServices({ plan, servers: nats.servers, log, say: this.#say })
    this.#levels.push(this.#services)
    this.#reloads = createReloadNews(plan, this.#say)
    await this.#reloads.start?.()
    if (plan.options.isDemo) {
      this.#levels.push([await startCaller(plan, this.#say, log.write, (calls) => (this.#calls = calls))])
      const slow = plan.sampleProxies.at(-1)?.id ?? 'nobody'
      this.#say(`demo      ${CALLS_PER_SECOND} calls per second; ${slow} is slow: watch its weight. Ctrl-C ends all`)
    }
  }

  /** Shows how things stand, from now on. */
  watch(isTerminal: boolean): void {
    const everyMs = isTerminal || this.#plan.options.isDemo ? LOOK_MS : LOOK_RARELY_MS
    this.#look = setInterval(() => this.#show(), everyMs)
  }

  /** The services load their configuration again. */
  reload(): void {
    for (const service of this.#services) service.signal('SIGHUP')
  }

  async close(): Promise<void> {
    this.#isEnding = true
    clearInterval(this.#look)
    await this.#reloads?.stop?.()
    for (const level of this.#levels.toReversed()) {
      if (level === this.#levels[0]) await this.#news?.close()
      await Promise.all(level.map((supervised) => supervised.stop()))
    }
    this.#tidy()
  }

  kill(): void {
    for (const supervised of this.#levels.flat()) supervised.kill()
    this.#tidy()
  }

  #tidy(): void {
    if (this.#plan.temporaryDir !== undefined) rmSync(this.#plan.temporaryDir, { recursive: true, force: true })
  }

  // While ending, what the services say of each other's absence is no news.
  readonly #say = (text: string): void => {
    if (!this.#isEnding) this.#screen.say(text)
  }

  #show(): void {
    const standing = { calls: this.#calls, ...(this.#news?.standing() ?? { tables: [], requestsOf: () => 0 }) }
    this.#screen.status(statusBlock(standing), statusLine(standing))
  }
}
