import type { Bus } from '@siplb/bus'
import { createNatsBus } from '@siplb/bus'
import { natsConfig, routeQuestion, routeQuestionTo } from '@siplb/contracts'
import { createBusCounters, createLogger, createRegistry } from '@siplb/runtime'
import { freezeProcess, spawnService, startNats, waitFor, type ServiceProcess } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { factsOf } from './tables.ts'

const pools = { default: { proxies: [{ id: 'px1', uri: 'sip:10.0.0.1' }] } }
const question = { ingress: 'ingress-1', requests: [factsOf('1')] }

const configOf = (url: string, instance: string) => ({ instance, http: { port: 0 }, nats: { servers: [url] }, pools })

async function connectBus(url: string): Promise<Bus> {
  const config = natsConfig.parse({ servers: [url] })
  const log = createLogger('ingress', 'test', { level: 'silent' })
  const observer = createBusCounters(createRegistry())
  const bus = createNatsBus({ config, service: 'ingress', instance: 'ingress-1', version: '0.0.0', log, observer })
  await waitFor(() => bus.isConnected(), 5000)
  return bus
}

const answers = (bus: Bus, instance: string) => () =>
  bus.request(routeQuestionTo, { instance }, question, 500).then(
    ({ location }) => location === instance,
    () => false,
  )

const readiness = async ({ httpPort }: ServiceProcess) => {
  const response = await fetch(`http://127.0.0.1:${httpPort}/readyz`)
  const body: unknown = await response.json()
  return { status: response.status, body }
}

describe('a location process', () => {
  it('is ready when it can be asked, and says what it chooses by', async () => {
    await using nats = await startNats()
    await using location = await spawnService('location', { config: configOf(nats.url, 'a') })
    const ready = await waitFor(async () => {
      const { status, body } = await readiness(location)
      return status === 200 && body
    }, 5000)
    expect(ready).toMatchObject({ ready: true, bus: 'connected', pools: { default: { epoch: 0, seq: 0 } } })
    const metrics = await (await fetch(`http://127.0.0.1:${location.httpPort}/metrics`)).text()
    expect(metrics).toMatch(/siplb_weights_age_seconds\{pool="default"\} [0-9.]+/)
    await nats.stop('SIGKILL')
    await waitFor(async () => (await readiness(location)).status === 503, 5000)
  })

  it('ends cleanly on SIGTERM, with the bus or without it', async () => {
    const nats = await startNats()
    await using connected = await spawnService('location', { config: configOf(nats.url, 'a') })
    expect(await connected.stop()).toBe(0)
    await nats.stop()
    await using alone = await spawnService('location', { config: configOf(nats.url, 'b') })
    expect((await readiness(alone)).status).toBe(503)
    expect(await alone.stop()).toBe(0)
  })

  it('that hangs can be bypassed by asking another one directly', async () => {
    await using nats = await startNats()
    await using hung = await spawnService('location', { config: configOf(nats.url, 'hung') })
    await using living = await spawnService('location', { config: configOf(nats.url, 'living') })
    const bus = await connectBus(nats.url)
    for (const { instance } of [{ instance: 'hung' }, { instance: 'living' }])
      await waitFor(answers(bus, instance), 5000)
    await freezeProcess(hung.pid)
    const asked = await Promise.allSettled(
      Array.from({ length: 40 }, () => bus.request(routeQuestion, {}, question, 500)),
    )
    // The queue group goes on giving the hung one its part: that is what the subject of one's own is for.
    expect(asked.some(({ status }) => status === 'rejected')).toBe(true)
    for (let i = 0; i < 40; i++) {
      expect((await bus.request(routeQuestionTo, { instance: 'living' }, question, 500)).location).toBe('living')
    }
    hung.kill('SIGCONT')
    await waitFor(answers(bus, 'hung'), 5000)
    await bus.close()
    expect(living.name).toBe('location')
  })
})
