import { describe, expect, it } from 'vitest'
import { createCaller, createSampleProxy, valueOf, waitFor, type Address, type Message } from '@siplb/testkit'
import { openEndpoint } from '../../src/sip/endpoint.ts'

const quick = { t1Ms: 20, t2Ms: 80, giveUpMs: 1280 }

describe('a caller and a sample proxy', () => {
  it('make a whole call, with a re-INVITE', async () => {
    await using proxy = await createSampleProxy({ name: 'px1', ringMs: 10 })
    await using caller = await createCaller({ target: proxy })
    const result = await caller.call({ callMs: 20, reInvites: 1 })
    expect(result).toMatchObject({
      outcome: 'completed',
      reason: undefined,
      status: 200,
      retransmissions: 0,
      answeredBy: 'px1',
      followedBy: ['px1', 'px1'],
    })
    expect(proxy.counters()).toEqual({
      requests: { INVITE: 2, ACK: 2, BYE: 1 },
      repeated: 0,
      callsAnswered: 1,
      callsEnded: 1,
      unacknowledged: 0,
    })
    expect(proxy.dialogs.size).toBe(0)
  })

  it('end a call from the called side', async () => {
    await using proxy = await createSampleProxy()
    await using caller = await createCaller({ target: proxy })
    const call = caller.call({ callId: 'c1', hangUp: 'called' })
    await waitFor(() => caller.running().includes('c1') && proxy.counters().callsAnswered === 1, 1000)
    expect(await proxy.hangUp('c1')).toBe(200)
    expect(await call).toMatchObject({ outcome: 'completed' })
    expect(proxy.counters().callsEnded).toBe(1)
  })

  it('cancel a call that rings', async () => {
    await using proxy = await createSampleProxy({ ringMs: 5000 })
    await using caller = await createCaller({ target: proxy })
    expect(await caller.call({ cancelAfterMs: 20 })).toMatchObject({ outcome: 'cancelled', status: 487 })
    await waitFor(() => proxy.counters().requests['ACK'] === 1, 1000)
  })

  it('acknowledge a refusal, and count it by its status', async () => {
    await using proxy = await createSampleProxy({ answer: 503 })
    await using caller = await createCaller({ target: proxy })
    expect(await caller.call()).toMatchObject({ outcome: 'failed', reason: '503', status: 503 })
    await waitFor(() => proxy.counters().requests['ACK'] === 1, 1000)
    expect(caller.statistics()).toMatchObject({ started: 1, failed: 1, failures: { 503: 1 } })
  })

  it('refuse some methods and serve the others', async () => {
    await using proxy = await createSampleProxy()
    await using caller = await createCaller({ target: proxy })
    proxy.setAnswer(404, ['INVITE'])
    expect((await caller.call()).status).toBe(404)
    expect((await caller.options()).status).toBe(200)
    proxy.setAnswer('ok')
    expect((await caller.call()).status).toBe(200)
  })

  it('repeat what a silent proxy does not answer, then give up', async () => {
    await using proxy = await createSampleProxy({ answer: 'silent' })
    await using caller = await createCaller({ target: proxy, timers: quick })
    const call = caller.call()
    const options = caller.options()
    // T1 = 20: INVITE after 20, 60, 140, 300, 620 and 1260 ms, OPTIONS after 20, 60, then every 80 ms
    expect(await call).toMatchObject({ outcome: 'failed', reason: 'timeout', status: undefined, retransmissions: 6 })
    expect((await options).retransmissions).toBeGreaterThan(10)
    expect((await options).response).toBeUndefined()
  })

  it('repeat a 200 until its ACK comes', async () => {
    let isLost = true
    await using proxy = await createSampleProxy({ timers: quick })
    await using relay = await createRelay(
      proxy,
      (message) => isLost && message.kind === 'request' && message.method === 'ACK',
    )
    await using caller = await createCaller({ target: relay, timers: quick })
    const call = caller.call({ callMs: 100 })
    await waitFor(() => relay.lost() >= 2, 1000)
    isLost = false
    expect(await call).toMatchObject({ outcome: 'completed' })
    expect(proxy.counters()).toMatchObject({ callsAnswered: 1, unacknowledged: 0 })
  })

  it('answer a repeated request once more, without doing it twice', async () => {
    let toLose = 1
    await using proxy = await createSampleProxy({ timers: quick })
    await using relay = await createRelay(proxy, (m) => m.kind === 'response' && m.status === 200 && toLose-- > 0)
    await using caller = await createCaller({ target: relay, timers: quick })
    expect(await caller.options()).toMatchObject({ status: 200, retransmissions: 1 })
    expect(proxy.counters()).toMatchObject({ requests: { OPTIONS: 1 }, repeated: 1 })
  })

  it('keep a dialog on its route, and refuse one that they do not know', async () => {
    await using px1 = await createSampleProxy({ name: 'px1' })
    await using px2 = await createSampleProxy({ name: 'px2' })
    await using relay = await createRelay(px1)
    await using caller = await createCaller({ target: relay })
    const call = caller.call({ callMs: 40, reInvites: 1 })
    await waitFor(() => px1.counters().callsAnswered === 1, 1000)
    relay.turnTo(px2)
    expect(await call).toMatchObject({ outcome: 'failed', reason: 'INVITE 481', followedBy: ['px2'] })
  })

  it('take a BYE of the called side for the end, whoever was to hang up', async () => {
    await using proxy = await createSampleProxy()
    await using relay = await createRelay(proxy)
    await using caller = await createCaller({ target: relay })
    const call = caller.call({ callId: 'c2', callMs: 10_000 })
    await waitFor(() => proxy.counters().callsAnswered === 1, 1000)
    expect(await proxy.hangUp('c2')).toBe(200)
    expect(await call).toMatchObject({ outcome: 'completed', followedBy: [] })
  })

  it('register', async () => {
    await using proxy = await createSampleProxy()
    await using caller = await createCaller({ target: proxy })
    const { status, response } = await caller.register('carol')
    expect(status).toBe(200)
    expect(response && valueOf(response, 'Contact')).toMatch(/^<sip:alice@127.0.0.1:\d+>;expires=3600$/)
  })

  it('call at a rate until stopped', async () => {
    await using proxy = await createSampleProxy()
    await using caller = await createCaller({ target: proxy, callMs: 20 })
    caller.start(200)
    await waitFor(() => caller.statistics().started >= 40, 5000)
    await caller.stop()
    const { started, completed, running, answeredBy } = caller.statistics()
    expect({ completed, running, answeredBy }).toEqual({ completed: started, running: 0, answeredBy: { px: started } })
    expect(caller.statistics().setupMs.count).toBe(started)
  })
})

describe('the load of a sample proxy', () => {
  it('is what waits and is served, over its places, and shows as delay', async () => {
    await using proxy = await createSampleProxy({ workers: 4, delayMs: 50, loadHeader: true })
    await using caller = await createCaller({ target: proxy })
    const answers = Array.from({ length: 8 }, () => caller.options())
    await waitFor(() => proxy.load() === 1, 1000)
    const times = (await Promise.all(answers)).map((a) => a.responseMs ?? 0)
    expect(times.filter((ms) => ms >= 95)).toHaveLength(4)
    expect(proxy.load()).toBe(0)
  })

  it('stands in its answers, and can be fixed', async () => {
    await using proxy = await createSampleProxy({ loadHeader: true })
    await using caller = await createCaller({ target: proxy })
    proxy.setLoad(0.75)
    const { response } = await caller.options()
    expect(response && valueOf(response, 'SIP-Load')).toBe('0.75')
  })
})

it('refuses a port that is taken, and says which', async () => {
  await using proxy = await createSampleProxy()
  await expect(createSampleProxy({ port: proxy.port })).rejects.toThrow(
    `udp 127.0.0.1:${proxy.port} cannot be listened on`,
  )
})

// Sits between the two and stays there by Record-Route; loses what it is told to.
async function createRelay(proxy: Address, loses: (message: Message) => boolean = () => false) {
  let [lost, target, caller]: [number, Address, Address] = [0, proxy, proxy]
  const endpoint = await openEndpoint({
    onMessage(message, source) {
      const isDown = source.port !== target.port
      if (isDown) caller = { address: source.address, port: source.port }
      if (loses(message)) lost++
      else endpoint.send(routed(message, endpoint.local), isDown ? target : caller)
    },
  })
  return {
    ...endpoint.local,
    lost: () => lost,
    turnTo: (other: Address) => void (target = other),
    [Symbol.asyncDispose]: () => endpoint.close(),
  }
}

function routed(message: Message, { address, port }: Address): Message {
  if (message.kind === 'response') return message
  const own = `<sip:${address}:${port};lr>`
  const headers = message.headers.filter(([, value]) => value !== own)
  const isNew = message.method === 'INVITE' && headers.length === message.headers.length
  return { ...message, headers: isNew ? [...headers, ['Record-Route', own]] : headers }
}
