import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { routeQuestion, routeQuestionTo, weightsQuestion } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectedBus, openBus, ownPrefix } from './bus-under-test.ts'

let nats: TestNats
let user: NatsConnection

beforeAll(async () => {
  nats = await startNats()
  user = await connect({ servers: nats.url })
})

afterAll(async () => {
  await user.close()
  await nats.stop()
})

async function ask<T>(verb: string): Promise<T> {
  return (await user.request(`$SRV.${verb}`, '', { timeout: 2000 })).json<T>()
}

const untilFound = (service: string) =>
  waitFor(() => ask(`PING.siplb-${service}`).then(Boolean, () => false), 5000, `${service} to be found`)

const nothing = () => ({ location: 'l-1', answers: [] })

it('is found by the NATS services protocol: who it is, and what it serves', async () => {
  await using location = await connectedBus(nats, { service: 'location', instance: 'l-1', prefix: ownPrefix() })
  location.bus.serve(routeQuestion, {}, nothing)
  location.bus.serve(routeQuestionTo, { instance: 'l-1' }, nothing)
  await untilFound('location')
  expect(await ask('PING.siplb-location')).toMatchObject({
    type: 'io.nats.micro.v1.ping_response',
    name: 'siplb-location',
    version: '1.2.3',
    metadata: { instance: 'l-1' },
  })
  await waitFor(async () => (await ask<{ endpoints: unknown[] }>('INFO.siplb-location')).endpoints.length === 2, 2000)
  const { prefix } = location.bus
  expect(await ask('INFO.siplb-location')).toMatchObject({
    type: 'io.nats.micro.v1.info_response',
    description: expect.stringMatching(/./),
    endpoints: [
      { name: 'req-route', subject: `${prefix}.req.route`, queue_group: 'location' },
      { name: 'req-route-instance', subject: `${prefix}.req.route.l-1`, queue_group: 'l-1' },
    ],
  })
})

it('counts what each endpoint was asked', async () => {
  await using location = await connectedBus(nats, { service: 'counted', prefix: ownPrefix() })
  location.bus.serve(routeQuestion, {}, nothing)
  await untilFound('counted')
  for (let i = 0; i < 3; i++) {
    await location.bus.request(routeQuestion, {}, { ingress: 'i-1', requests: [] }, 2000)
  }
  expect(await ask('STATS.siplb-counted')).toMatchObject({
    type: 'io.nats.micro.v1.stats_response',
    endpoints: [{ name: 'req-route', num_requests: 3 }],
  })
})

it('also offers what is served after it was registered', async () => {
  await using weigher = await connectedBus(nats, { service: 'late', prefix: ownPrefix() })
  await untilFound('late')
  weigher.bus.serve(weightsQuestion, { pool: 'blue' }, () => undefined)
  const endpoints = async () => (await ask<{ endpoints: { name: string }[] }>('INFO.siplb-late')).endpoints
  await waitFor(async () => (await endpoints()).length > 0, 2000)
  expect((await endpoints()).map(({ name }) => name)).toEqual(['req-weights-pool'])
})

it('is no service where it only asks and listens', async () => {
  await using cli = await connectedBus(nats, { service: 'asker', isService: false, prefix: ownPrefix() })
  await expect(cli.bus.request(weightsQuestion, { pool: 'blue' }, {}, 1000)).rejects.toThrow('nobody answers')
  await expect(ask('PING.siplb-asker')).rejects.toMatchObject({ code: '503' })
})

it('serves also where it is no service that others should find', async () => {
  await using early = openBus(nats, { service: 'hidden', isService: false, prefix: ownPrefix() })
  early.bus.serve(weightsQuestion, { pool: 'blue' }, () => undefined)
  await waitFor(() => early.bus.isConnected(), 5000)
  await expect(early.bus.request(weightsQuestion, { pool: 'blue' }, {}, 300)).rejects.toMatchObject({ code: 'timeout' })
})

it('says in its log when the NATS user may not be found, since nobody else would', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-users-'))
  const file = join(folder, 'nats.conf')
  const permissions = '{ publish: ">", subscribe: { deny: "$SRV.>" } }'
  await writeFile(file, `authorization { users: [ { user: u, password: p, permissions: ${permissions} } ] }\n`)
  await using guarded = await startNats({ args: ['--config', file] })
  await using location = await connectedBus(guarded, { service: 'location', user: 'u', password: 'p' })
  const [said] = await waitFor(() => {
    const lines = location.said('service discovery does not answer; the NATS user needs $SRV.> and _INBOX.>')
    return lines.length > 0 && lines
  }, 5000)
  expect(said?.fields).toMatchObject({ service: 'siplb-location' })
  await rm(folder, { recursive: true })
})
