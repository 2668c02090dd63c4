import { createNatsBus, type Bus } from '@siplb/bus'
import { natsConfig, weightsQuestion, type NatsConfig } from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { expect } from 'vitest'

interface LogEntry {
  readonly level: 'info' | 'warn'
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A bus with all that it told its observer and its log. */
export interface BusUnderTest extends AsyncDisposable {
  readonly bus: Bus
  readonly log: readonly LogEntry[]
  /** How often the observer heard this: `dropped evt.load.{pool} malformed`. */
  counted(what: string): number
  said(text: string): LogEntry[]
}

export interface BusOptions extends Partial<NatsConfig> {
  readonly service?: string
  readonly instance?: string
  readonly isService?: boolean
}

/** Returns at once, as `createNatsBus` does. */
export function openBus(nats: { readonly url: string }, options: BusOptions = {}): BusUnderTest {
  const { service = 'tester', instance = 'tester-1', isService = true, ...config } = options
  const counts = new Map<string, number>()
  const count = (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1)
  const log: LogEntry[] = []
  const bus = createNatsBus({
    ...{ service, instance, isService, version: '1.2.3' },
    config: natsConfig.parse({ servers: [nats.url], ...config }),
    log: {
      info: (fields, text) => log.push({ level: 'info', text, fields: { ...fields } }),
      warn: (fields, text) => log.push({ level: 'warn', text, fields: { ...fields } }),
    },
    observer: {
      published: (channel) => count(`published ${channel}`),
      unpublished: (channel) => count(`unpublished ${channel}`),
      received: (channel) => count(`received ${channel}`),
      dropped: (channel, problem) => count(`dropped ${channel} ${problem}`),
    },
  })
  return {
    bus,
    log,
    counted: (what) => counts.get(what) ?? 0,
    said: (text) => log.filter((entry) => entry.text === text),
    [Symbol.asyncDispose]: () => bus.close(),
  }
}

export async function connectedBus(nats: { readonly url: string }, options: BusOptions = {}): Promise<BusUnderTest> {
  const opened = openBus(nats, options)
  await waitFor(() => opened.bus.isConnected(), 5000, 'the bus to connect')
  return opened
}

/** A server has taken what a connection said when it has answered a question of the same connection. */
export async function settled(bus: Bus): Promise<void> {
  await expect(bus.request(weightsQuestion, { pool: 'nobody' }, {}, 5000)).rejects.toThrow('nobody answers')
}

let prefixes = 0

/** Subjects and stores of its own for each test, on one server. */
export function ownPrefix(): string {
  prefixes += 1
  return `test-${prefixes}.v1`
}
