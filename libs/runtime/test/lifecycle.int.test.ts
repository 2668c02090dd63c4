import { join } from 'node:path'
import { startChild, type Exit } from '@siplb/children'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import type { Script, ScriptedComponent } from './scripted-service.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly component?: string
  readonly step?: string
  readonly state?: string
  readonly err?: { readonly message: string; readonly stack: string }
  readonly [field: string]: unknown
}

class Service {
  readonly #lines: string[] = []
  readonly #child

  constructor(script: Script) {
    const program = join(import.meta.dirname, 'scripted-service.ts')
    this.#child = startChild(process.execPath, [program, JSON.stringify(script)], {
      onLine: (line) => this.#lines.push(line),
    })
  }

  get lines(): Line[] {
    return this.#lines.map((line) => JSON.parse(line) as Line)
  }

  /** `start a`, in the order in which they happened. */
  get steps(): string[] {
    return this.lines.flatMap(({ step, component }) => (step === undefined ? [] : [`${step} ${component}`]))
  }

  said(msg: string): Line[] {
    return this.lines.filter((line) => line.msg === msg)
  }

  async until(seen: () => boolean): Promise<void> {
    await waitFor(() => seen() || !this.#child.isRunning(), 10_000)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  get exited(): Promise<Exit> {
    return this.#child.exited
  }
}

async function started(components: readonly ScriptedComponent[], drainMs = 2000): Promise<Service> {
  const service = new Service({ drainMs, components })
  await service.until(() => service.said('ready').length > 0)
  return service
}

const steady = (name: string): ScriptedComponent => ({ name, start: 5, drain: 5, stop: 5 })

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'starts its components in order; on %s it drains and stops them in reverse',
    async (signal) => {
      const service = await started([steady('a'), { name: 'bare' }, steady('b'), steady('c')])
      expect(service.steps).toEqual(['start a', 'start b', 'start c'])
      expect(service.said('ready')[0]?.['startMs']).toEqual(expect.any(Number))
      service.kill(signal)
      expect(await service.exited).toBe(0)
      const { steps, lines } = service
      expect(steps.slice(3)).toEqual(['drain c', 'drain b', 'drain a', 'stop c', 'stop b', 'stop a'])
      const states = lines.flatMap(({ step, state }) => (step === undefined ? [] : [`${step}: ${state}`]))
      expect([...new Set(states)]).toEqual(['start: starting', 'drain: draining', 'stop: draining'])
      expect(service.said('draining')[0]).toMatchObject({ signal, drainMs: 2000 })
      expect(lines.at(-1)?.msg).toBe('stopped')
    },
  )

  it('that is told to end while it starts does so once it has started', async () => {
    const service = new Service({ drainMs: 1000, components: [{ name: 'a', start: 400, drain: 1, stop: 1 }] })
    await service.until(() => service.steps.includes('start a'))
    service.kill('SIGTERM')
    expect(await service.exited).toBe(0)
    expect(service.steps).toEqual(['start a', 'drain a', 'stop a'])
  })

  it('ends at once on a second signal', async () => {
    const service = await started([{ name: 'a', drain: 'hangs', stop: 'hangs' }], 60_000)
    service.kill('SIGTERM')
    await service.until(() => service.steps.includes('drain a'))
    service.kill('SIGTERM')
    expect(await service.exited).toBe(1)
    expect(service.steps).toEqual(['drain a'])
    expect(service.said('second signal, ending at once')).toHaveLength(1)
  })
})

describe('draining', () => {
  it('ends when its time is over, for all components together; each is told to drain and to stop', async () => {
    const hanging = (name: string): ScriptedComponent => ({ name, drain: 'hangs', stop: 5 })
    const service = await started([hanging('a'), steady('b'), hanging('c'), hanging('d')], 1000)
    const since = performance.now()
    service.kill('SIGTERM')
    expect(await service.exited).toBe(0)
    // One after the other they would take three seconds.
    expect(performance.now() - since).toBeLessThan(2500)
    expect(performance.now() - since).toBeGreaterThan(950)
    expect(service.steps).toEqual(
      expect.arrayContaining(['drain d', 'drain c', 'drain b', 'drain a', 'stop d', 'stop c', 'stop b', 'stop a']),
    )
    expect(service.said('drain cut short').map(({ component }) => component)).toEqual(
      expect.arrayContaining(['d', 'c', 'a']),
    )
  })

  it.each(['throws', 'rejects'] as const)('goes on when a component %s, which is said', async (how) => {
    const service = await started([steady('a'), { name: 'b', drain: how, stop: 5 }, steady('c')])
    service.kill('SIGTERM')
    expect(await service.exited).toBe(0)
    expect(service.steps.slice(2)).toEqual(['drain c', 'drain b', 'drain a', 'stop c', 'stop b', 'stop a'])
    expect(service.said('drain failed')).toMatchObject([{ component: 'b', err: { message: /b cannot drain/ } }])
  })
})

describe('stopping', () => {
  it('cuts a component short after three seconds, and stops the others', { timeout: 20_000 }, async () => {
    const service = await started([steady('a'), { name: 'b', stop: 'hangs' }, steady('c')])
    const since = performance.now()
    service.kill('SIGTERM')
    expect(await service.exited).toBe(0)
    expect(performance.now() - since).toBeLessThan(5000)
    expect(service.steps.slice(-3)).toEqual(['stop c', 'stop b', 'stop a'])
    expect(service.said('stop cut short')).toMatchObject([{ component: 'b' }])
  })

  it.each(['throws', 'rejects'] as const)('goes on when a component %s, which is said', async (how) => {
    const service = await started([steady('a'), { name: 'b', stop: how }, steady('c')])
    service.kill('SIGTERM')
    expect(await service.exited).toBe(0)
    expect(service.steps.slice(-3)).toEqual(['stop c', 'stop b', 'stop a'])
    expect(service.said('stop failed')).toMatchObject([{ component: 'b', err: { message: /b cannot stop/ } }])
  })
})

describe('a start that fails', () => {
  it.each(['throws', 'rejects'] as const)(
    'ends with 1 when a component %s, what was begun being stopped',
    async (how) => {
      const service = new Service({
        drainMs: 1000,
        components: [steady('a'), { name: 'bus', stop: 5 }, { name: 'b', start: how, drain: 5, stop: 5 }, steady('c')],
      })
      expect(await service.exited).toBe(1)
      expect(service.steps).toEqual(['start a', 'start b', 'stop b', 'stop bus', 'stop a'])
      expect(service.said('ready')).toEqual([])
    },
  )

  it('says why, with the cause behind it', async () => {
    const service = new Service({ drainMs: 1000, components: [{ name: 'a', start: 'throws' }] })
    expect(await service.exited).toBe(1)
    const [line] = service.said('start failed')
    expect(line?.level).toBe(60)
    expect(line?.err?.message).toBe('a cannot start: the deeper cause')
    expect(line?.err?.stack).toMatch(/a cannot start.*caused by.*the deeper cause/s)
  })

  it('ends with 1 also when a component then hangs in its stop', { timeout: 20_000 }, async () => {
    const service = new Service({
      drainMs: 1000,
      components: [
        { name: 'a', stop: 'hangs' },
        { name: 'b', start: 'rejects' },
      ],
    })
    expect(await service.exited).toBe(1)
    expect(service.said('stop cut short')).toMatchObject([{ component: 'a' }])
  })
})
