import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BusError, type Bus } from '@siplb/bus'
import { leasesTable, loadReported, weightsQuestion, type Load, type WeightTable } from '@siplb/contracts'
import { freePort, startNats, waitFor } from '@siplb/testkit'
import { connect } from 'nats'
import { describe, expect, it } from 'vitest'
import { connectedBus, openBus, settled } from './bus-under-test.ts'

const pool = { pool: 'blue' }
const { address } = loadReported
const load: Load = { proxy: 'px1', load: 0.5, source: 'test', ageMs: 0, expiresInMs: 1000 }
const tableOf = (seq: number): WeightTable => ({
  ...{ pool: 'blue', epoch: 1, seq, prevSeq: 0, writer: 'w-1', policy: 'least-work' },
  ...{ strict: false, panic: false, costs: {}, proxies: [] },
})
const leaseOf = (beat: number) => ({ holder: 'w-1', epoch: 1, beat })
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Takes part in everything that a bus has. */
function takePart(bus: Bus) {
  const heard = { events: 0, beats: [] as (number | undefined)[], caughtUp: 0 }
  bus.subscribe(loadReported, pool, () => void heard.events++)
  bus.serve(weightsQuestion, pool, () => tableOf(1))
  bus.table(leasesTable, 'owner').watch(
    (_, lease) => void heard.beats.push(lease?.beat),
    () => void heard.caughtUp++,
  )
  return heard
}

async function isAnswered(bus: Bus): Promise<boolean> {
  return bus.request(weightsQuestion, pool, {}, 500).then(Boolean, () => false)
}

describe('a bus without a server', () => {
  it('is made at once, drops what is published, and fails requests at once', async () => {
    await using a = openBus({ url: `nats://127.0.0.1:${await freePort('tcp')}` })
    expect(a.bus.isConnected()).toBe(false)
    expect(a.bus.publish(loadReported, pool, load)).toBe(false)
    expect(a.bus.publish(loadReported, pool, [load, load])).toBe(false)
    expect(a.counted(`unpublished ${address}`)).toBe(2)
    expect(a.counted(`published ${address}`)).toBe(0)
    const since = performance.now()
    const leases = a.bus.table(leasesTable, 'user')
    const spec = { name: 'S', addresses: ['a'], maxAgeMs: 1, maxBytes: 1 }
    for (const work of [
      () => a.bus.request(weightsQuestion, pool, {}, 10_000),
      () => a.bus.ensureStream(spec),
      () => leases.get('k'),
      () => leases.put('k', leaseOf(1)),
      () => leases.create('k', leaseOf(1)),
      () => leases.update('k', leaseOf(1), 1),
      () => leases.remove('k'),
      () => leases.entries(),
    ]) {
      await expect(work()).rejects.toThrow(BusError)
      await expect(work()).rejects.toMatchObject({ code: 'disconnected' })
    }
    expect(performance.now() - since).toBeLessThan(1000)
  })

  it('says so once, and connects when the server comes: with all that was asked for before', async () => {
    const port = await freePort('tcp')
    await using a = openBus({ url: `nats://127.0.0.1:${port}` })
    const heard = takePart(a.bus)
    let stopped = 0
    a.bus.subscribe(loadReported, pool, () => void stopped++).stop()
    await sleep(2500) // two more attempts
    expect(a.said('bus not reached; trying on every second')).toHaveLength(1)
    await using nats = await startNats({ port })
    await waitFor(() => a.bus.isConnected(), 3000)
    expect(a.said('bus connected')[0]?.fields).toEqual({ server: `127.0.0.1:${nats.port}` })
    await waitFor(() => isAnswered(a.bus), 3000)
    await waitFor(() => heard.caughtUp === 1, 3000)
    await a.bus.table(leasesTable, 'owner').put('weigher.blue', leaseOf(7))
    a.bus.publish(loadReported, pool, load)
    await waitFor(() => heard.events === 1 && heard.beats.includes(7), 3000)
    expect(stopped).toBe(0)
  })
})

describe('a bus whose server is killed', () => {
  it('knows at once, and takes part again as soon as the server is back', async () => {
    await using nats = await startNats()
    await using a = await connectedBus(nats)
    const heard = takePart(a.bus)
    const states: boolean[] = []
    a.bus.onConnection((isConnected) => void states.push(isConnected))
    await waitFor(() => isAnswered(a.bus), 3000)
    await a.bus.table(leasesTable, 'owner').put('weigher.blue', leaseOf(1))
    await waitFor(() => heard.beats.includes(1) && heard.caughtUp === 1, 3000)

    await nats.kill()
    await waitFor(() => !a.bus.isConnected(), 1000)
    expect(a.bus.publish(loadReported, pool, load)).toBe(false)
    await expect(a.bus.request(weightsQuestion, pool, {}, 10_000)).rejects.toMatchObject({ code: 'disconnected' })
    await sleep(1000) // some attempts to reconnect, none of which is worth a line
    heard.beats = []

    await nats.restart()
    const since = performance.now()
    await waitFor(() => heard.caughtUp === 2, 3000, 'the watch to catch up')
    const watchMs = performance.now() - since
    expect(heard.beats).toEqual([1])
    await waitFor(() => isAnswered(a.bus), 3000)
    await a.bus.table(leasesTable, 'owner').put('weigher.blue', leaseOf(2))
    a.bus.publish(loadReported, pool, load)
    await waitFor(() => heard.events === 1 && heard.beats.includes(2), 3000)
    expect(watchMs).toBeLessThan(3000)
    expect(states).toEqual([true, false, true])
    expect([a.said('bus lost').length, a.said('bus back').length]).toEqual([1, 1])

    const user = await connect({ servers: nats.url })
    const found = (await user.request('$SRV.PING.siplb-tester')).json()
    expect(found).toMatchObject({ metadata: { instance: 'tester-1' } })
    await user.close()
  })

  it('hears each event once after it, and hears nothing for what was stopped while the server was gone', async () => {
    await using nats = await startNats()
    await using a = await connectedBus(nats)
    const heard: string[] = []
    a.bus.subscribe(loadReported, pool, () => void heard.push('before'))
    const stopped = a.bus.subscribe(loadReported, pool, () => void heard.push('stopped'))
    await nats.kill()
    await waitFor(() => !a.bus.isConnected(), 1000)
    stopped.stop()
    a.bus.subscribe(loadReported, pool, () => void heard.push('during'))
    await nats.restart()
    await waitFor(() => a.bus.isConnected(), 3000)
    a.bus.publish(loadReported, pool, load)
    await settled(a.bus)
    await waitFor(() => heard.length >= 2, 2000)
    expect(heard.toSorted()).toEqual(['before', 'during'])
  })
})

describe('a bus whose server hangs', () => {
  it('notices by its pings, and is back when the server is', async () => {
    await using nats = await startNats()
    await using a = await connectedBus(nats)
    const heard = takePart(a.bus)
    await waitFor(() => isAnswered(a.bus), 3000)
    await waitFor(() => heard.caughtUp === 1, 3000)
    await nats.freeze()
    const since = performance.now()
    await waitFor(() => !a.bus.isConnected(), 6000, 'the bus to notice')
    // Two pings, a second apart, stay unanswered; the third finds that out.
    expect(performance.now() - since).toBeGreaterThan(1900)
    expect(performance.now() - since).toBeLessThan(3500)
    expect(a.bus.publish(loadReported, pool, load)).toBe(false)
    await sleep(500)
    nats.thaw()
    await waitFor(() => a.bus.isConnected(), 4000)
    await waitFor(() => heard.caughtUp === 2, 3000)
    await waitFor(() => isAnswered(a.bus), 3000)
    a.bus.publish(loadReported, pool, load)
    await waitFor(() => heard.events === 1, 2000)
    await sleep(1500) // attempts made while the server hung must not be taken for news of now
    expect(a.bus.isConnected()).toBe(true)
  })
})

describe('a bus that is not let in', () => {
  it('keeps trying and says it once; the password may be mended on the side of the server', async () => {
    const wrong = await startNats({ args: ['--user', 'u', '--pass', 'other'] })
    await using a = openBus(wrong, { user: 'u', password: 'p' })
    await sleep(2500)
    expect(a.bus.isConnected()).toBe(false)
    const lines = a.said('bus not reached; trying on every second')
    expect(lines.map(({ fields }) => fields['problem'])).toEqual([expect.stringMatching(/authorization violation/i)])
    expect(a.log).toHaveLength(1)
    expect(JSON.stringify(a.log)).not.toContain('"p"')
    await wrong.stop()
    await using nats = await startNats({ port: wrong.port, args: ['--user', 'u', '--pass', 'p'] })
    await waitFor(() => a.bus.isConnected(), 3000)
    expect(nats.port).toBe(wrong.port)
  })

  it('says it once, too, when it had been in before', async () => {
    const first = await startNats({ args: ['--user', 'u', '--pass', 'p'] })
    await using a = await connectedBus(first, { user: 'u', password: 'p' })
    await first.stop()
    await using second = await startNats({ port: first.port, args: ['--user', 'u', '--pass', 'other'] })
    await sleep(2000) // some ten attempts
    expect(a.bus.isConnected()).toBe(false)
    expect(a.log.filter(({ level }) => level === 'warn').map(({ text }) => text)).toEqual([
      'bus lost',
      'bus refused something',
    ])
    await second.stop()
    await using third = await startNats({ port: first.port, args: ['--user', 'u', '--pass', 'p'] })
    await waitFor(() => a.bus.isConnected(), 3000)
    expect(third.port).toBe(first.port)
    await settled(a.bus)
  })
})

describe('a bus that may not say something', () => {
  it('says that once, however often it tries', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'siplb-users-'))
    const file = join(folder, 'nats.conf')
    const permissions = '{ publish: { deny: "*.*.evt.>" }, subscribe: ">" }'
    await writeFile(file, `authorization { users: [ { user: u, password: p, permissions: ${permissions} } ] }\n`)
    await using nats = await startNats({ args: ['--config', file] })
    await using a = await connectedBus(nats, { user: 'u', password: 'p' })
    for (let i = 0; i < 20; i++) a.bus.publish(loadReported, { pool: i % 2 === 0 ? 'blue' : 'red' }, load)
    await settled(a.bus)
    const subjects = a.said('bus refused something').map(({ fields }) => fields['detail'])
    expect(subjects).toEqual([
      expect.objectContaining({ operation: 'publish', subject: 'siplb.v1.evt.load.blue' }),
      expect.objectContaining({ operation: 'publish', subject: 'siplb.v1.evt.load.red' }),
    ])
    expect(a.bus.isConnected()).toBe(true)
    await rm(folder, { recursive: true })
  })
})

describe('closing', () => {
  it('answers what was heard, though the handler takes its time and asks and writes itself', async () => {
    await using nats = await startNats()
    await using asker = await connectedBus(nats, { instance: 'asker' })
    const weigher = await connectedBus(nats, { service: 'weigher', instance: 'w-1' })
    const leases = weigher.bus.table(leasesTable, 'owner')
    let isHeard = false
    weigher.bus.serve(weightsQuestion, pool, async () => {
      isHeard = true
      await sleep(300)
      return tableOf(await leases.put('weigher.blue', leaseOf(1)))
    })
    await settled(weigher.bus)
    const asked = asker.bus.request(weightsQuestion, pool, {}, 5000)
    await waitFor(() => isHeard, 2000)
    const closed = weigher.bus.close()
    await sleep(100)
    // Nothing new is taken meanwhile: another instance of the queue group would get it.
    await expect(asker.bus.request(weightsQuestion, pool, {}, 5000)).rejects.toMatchObject({ code: 'no-responders' })
    expect(await asked).toMatchObject({ seq: 1 })
    await closed
  })

  it('does not wait for ever for a handler that hangs', async () => {
    await using nats = await startNats()
    const a = await connectedBus(nats)
    a.bus.serve(weightsQuestion, pool, () => new Promise(() => {}))
    await settled(a.bus)
    await expect(a.bus.request(weightsQuestion, pool, {}, 100)).rejects.toMatchObject({ code: 'timeout' })
    const since = performance.now()
    await a.bus.close()
    expect(performance.now() - since).toBeLessThan(3000)
  })

  it('still sends what was said, and says no more', async () => {
    await using nats = await startNats()
    const user = await connect({ servers: nats.url })
    let heard = 0
    user.subscribe('siplb.v1.evt.load.blue', { callback: () => void heard++ })
    await user.flush()
    const a = await connectedBus(nats)
    const states: boolean[] = []
    a.bus.onConnection((isConnected) => void states.push(isConnected))
    // More than fits into the buffers on the way.
    const many = Array.from({ length: 5000 }, () => load)
    for (let i = 0; i < 10; i++) a.bus.publish(loadReported, pool, many)
    const closed = a.bus.close()
    await Promise.resolve()
    for (let i = 0; i < 10; i++) {
      a.bus.publish(loadReported, pool, load)
      await sleep(1)
    }
    await closed
    expect(a.bus.publish(loadReported, pool, load)).toBe(false)
    await expect(a.bus.request(weightsQuestion, pool, {}, 1000)).rejects.toMatchObject({ code: 'disconnected' })
    await waitFor(() => heard === a.counted(`published ${address}`), 2000)
    expect(heard).toBeGreaterThanOrEqual(100)
    expect(a.counted(`published ${address}`) + a.counted(`unpublished ${address}`)).toBe(111)
    expect(states).toEqual([true, false])
    await a.bus.close()
    await user.close()
  })

  it('is quick while there is no server, and nothing is tried any more after it', async () => {
    const port = await freePort('tcp')
    const never = openBus({ url: `nats://127.0.0.1:${port}` })
    await using nats = await startNats()
    const once = await connectedBus(nats)
    await nats.kill()
    await waitFor(() => !once.bus.isConnected(), 1000)
    const since = performance.now()
    await Promise.all([never.bus.close(), once.bus.close()])
    expect(performance.now() - since).toBeLessThan(1500)
    await using late = await startNats({ port })
    await nats.restart()
    await sleep(1500)
    expect([never.bus.isConnected(), once.bus.isConnected()]).toEqual([false, false])
    expect([never.said('bus connected').length, once.said('bus back').length]).toEqual([0, 0])
    expect(late.port).toBe(port)
  })

  it('does not leave a connection that was being made', async () => {
    await using nats = await startNats()
    const a = openBus(nats)
    await a.bus.close()
    await sleep(300)
    expect(a.bus.isConnected()).toBe(false)
    await using b = await connectedBus(nats, { instance: 'b' })
    const user = await connect({ servers: nats.url })
    await expect(user.request('$SRV.PING.siplb-tester')).resolves.toMatchObject({})
    const pings: unknown[] = []
    for await (const { metadata } of await user.services.client().ping('siplb-tester')) pings.push(metadata)
    expect(pings).toEqual([{ instance: b.bus.instance }])
    await user.close()
  })

  it('is over within three seconds while the server hangs', async () => {
    await using nats = await startNats()
    const a = await connectedBus(nats)
    await settled(a.bus)
    await nats.freeze()
    const since = performance.now()
    await a.bus.close()
    nats.thaw()
    expect(performance.now() - since).toBeLessThan(3000)
  })
})
