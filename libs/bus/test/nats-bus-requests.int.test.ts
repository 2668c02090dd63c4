import { BusError, Refusal } from '@siplb/bus'
import {
  addProxy,
  explainQuestion,
  routeQuestion,
  weightsQuestion,
  type RouteReply,
  type RouteRequest,
  type WeightTable,
} from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectedBus, ownPrefix, settled } from './bus-under-test.ts'

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

const blue = { pool: 'blue' }
const tableOf = (pool: string): WeightTable => ({
  ...{ pool, epoch: 1, seq: 2, prevSeq: 1, writer: 'w-1', policy: 'least-work' },
  ...{ strict: false, panic: false, costs: {}, proxies: [] },
})
const routeOf = (ingress: string): RouteRequest => ({ ingress, requests: [] })

async function errorOf(request: Promise<unknown>): Promise<BusError> {
  const error = await request.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!(error instanceof BusError)) throw new Error(`no BusError but ${String(error)}`)
  return error
}

/** What a plain client gets. */
async function askPlainly(subject: string, payload = '') {
  const { data, headers } = await user.request(subject, payload, { timeout: 2000 })
  return {
    text: new TextDecoder().decode(data),
    error: headers?.get('Nats-Service-Error') ?? '',
    code: headers?.get('Nats-Service-Error-Code') ?? '',
  }
}

describe('a request', () => {
  it('is answered, and tells the handler the parameters of its subject', async () => {
    const prefix = ownPrefix()
    await using weigher = await connectedBus(nats, { prefix })
    await using asker = await connectedBus(nats, { prefix })
    weigher.bus.serve(weightsQuestion, { pool: '*' }, (_, { pool = '' }) => tableOf(pool))
    await settled(weigher.bus)
    expect(await asker.bus.request(weightsQuestion, blue, {}, 2000)).toEqual(tableOf('blue'))
    expect(await asker.bus.request(weightsQuestion, { pool: 'red' }, {}, 2000)).toEqual(tableOf('red'))
    expect(weigher.counted('received req.weights.{pool}')).toBe(2)
  })

  it('may be empty for a user, where no field is needed', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, blue, () => tableOf('blue'))
    await settled(weigher.bus)
    expect((await askPlainly(`${weigher.bus.prefix}.req.weights.blue`)).text).toBe(JSON.stringify(tableOf('blue')))
  })

  it('is shared by a queue group: each goes to one of its members', async () => {
    const prefix = ownPrefix()
    await using one = await connectedBus(nats, { prefix, instance: 'l-1' })
    await using two = await connectedBus(nats, { prefix, instance: 'l-2' })
    for (const { bus } of [one, two]) {
      bus.serve(routeQuestion, {}, (): RouteReply => ({ location: bus.instance, answers: [] }))
      await settled(bus)
    }
    const ask = async () => (await one.bus.request(routeQuestion, {}, routeOf('i-1'), 2000)).location
    const answers = await Promise.all(Array.from({ length: 60 }, ask))
    const count = (instance: string) => answers.filter((location) => location === instance).length
    expect(count('l-1') + count('l-2')).toBe(60)
    expect([one, two].map((member) => member.counted('received req.route'))).toEqual([count('l-1'), count('l-2')])
    expect(Math.min(count('l-1'), count('l-2'))).toBeGreaterThan(0)
  })

  it('is heard by everybody where there is no queue group; who returns undefined stays silent', async () => {
    const prefix = ownPrefix()
    const decision = { callId: 'known', method: 'INVITE', at: '2026-01-01T00:00:00Z', source: 'local' } as const
    await using one = await connectedBus(nats, { prefix, instance: 'i-1' })
    await using two = await connectedBus(nats, { prefix, instance: 'i-2' })
    one.bus.serve(explainQuestion, {}, () => undefined)
    two.bus.serve(explainQuestion, {}, async ({ callId }) => {
      await Promise.resolve()
      if (callId !== 'known') return undefined
      return { decisions: [{ ...decision, ingress: 'i-2', candidates: [], tried: [] }] }
    })
    await settled(one.bus)
    await settled(two.bus)
    const { decisions } = await one.bus.request(explainQuestion, {}, { callId: 'known' }, 2000)
    expect(decisions[0]?.ingress).toBe('i-2')
    expect((await errorOf(one.bus.request(explainQuestion, {}, { callId: 'other' }, 200))).code).toBe('timeout')
    for (const bus of [one, two]) await waitFor(() => bus.counted('received req.explain') === 2, 2000)
  })

  it('fails at once when nobody serves it', async () => {
    await using asker = await connectedBus(nats, { prefix: ownPrefix() })
    const since = performance.now()
    const error = await errorOf(asker.bus.request(weightsQuestion, blue, {}, 10_000))
    expect(error.code).toBe('no-responders')
    expect(error.message).toContain(`${asker.bus.prefix}.req.weights.blue`)
    expect(performance.now() - since).toBeLessThan(2000)
  })

  it('fails with `timeout` when no answer comes in time, which is said', async () => {
    await using asker = await connectedBus(nats, { prefix: ownPrefix() })
    user.subscribe(`${asker.bus.prefix}.req.weights.blue`, { callback() {} })
    await user.flush()
    const error = await errorOf(asker.bus.request(weightsQuestion, blue, {}, 150))
    expect(error.code).toBe('timeout')
    expect(error.message).toContain('150 ms')
  })

  it('fails with `malformed` when the answer does not fit the contract, which is counted', async () => {
    await using asker = await connectedBus(nats, { prefix: ownPrefix() })
    const answers = ['', 'no JSON', '{}', JSON.stringify({ ...tableOf('blue'), epoch: -1 })]
    const queue = [...answers]
    user.subscribe(`${asker.bus.prefix}.req.weights.blue`, {
      callback: (_, message) => void message.respond(queue.shift() ?? ''),
    })
    await user.flush()
    for (const _ of answers) {
      expect((await errorOf(asker.bus.request(weightsQuestion, blue, {}, 2000))).code).toBe('malformed')
    }
    expect(asker.counted('dropped req.weights.{pool} malformed')).toBe(answers.length)
  })

  it('that breaks the contract is not even sent', async () => {
    await using asker = await connectedBus(nats, { prefix: ownPrefix() })
    await expect(asker.bus.request(routeQuestion, {}, routeOf('No Slug'), 2000)).rejects.toThrow(/slug/)
  })
})

describe('a refusal', () => {
  it('reaches the asker with its status and text', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, { pool: '*' }, (_, { pool }) => {
      throw new Refusal(404, `no pool “${pool}” here`)
    })
    await settled(weigher.bus)
    const error = await errorOf(weigher.bus.request(weightsQuestion, blue, {}, 2000))
    expect(error).toMatchObject({ code: 'refused', status: 404, message: 'no pool “blue” here' })
    expect(await askPlainly(`${weigher.bus.prefix}.req.weights.blue`)).toEqual({
      text: '',
      error: 'no pool “blue” here',
      code: '404',
    })
    // Expected, so neither a fault nor worth a line.
    expect(weigher.counted('dropped req.weights.{pool} handler')).toBe(0)
    expect(weigher.said('request handler failed')).toEqual([])
  })

  it('is also given by a handler that takes its time', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, blue, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Refusal(409, 'somebody was faster')
    })
    await settled(weigher.bus)
    expect(await errorOf(weigher.bus.request(weightsQuestion, blue, {}, 2000))).toMatchObject({ status: 409 })
  })

  it('may quote anything, line ends too', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, blue, () => {
      throw new Refusal(404, 'no proxy "a\r\nNats-Service-Error-Code: 200\r\n\r\nb" here')
    })
    await settled(weigher.bus)
    const error = await errorOf(weigher.bus.request(weightsQuestion, blue, {}, 2000))
    expect(error).toMatchObject({
      status: 404,
      message: expect.stringMatching(/^no proxy "a\s+Nats-Service-Error-Code: 200\s+b" here$/),
    })
  })

  it.each([
    ['no JSON', '{', /^request: /],
    ['no object', '7', /^request: /],
    ['something missing', '{"pool":"blue","uri":"sip:10.0.0.1"}', /^proxy: /],
    ['two things wrong', '{"pool":"Blue!","proxy":"px1","uri":"x"}', /^pool: .*; uri: /],
    [
      'a key with line ends',
      JSON.stringify({ pool: 'blue', proxy: 'px1', uri: 'sip:a', load: { source: 'header', 'x\r\ny': 1 } }),
      /^load: /,
    ],
  ])('says what is wrong with a request that has %s, and its handler hears nothing', async (_, payload, says) => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    const heard: unknown[] = []
    weigher.bus.serve(addProxy, {}, (q) => void heard.push(q))
    await settled(weigher.bus)
    const { error, code } = await askPlainly(`${weigher.bus.prefix}.cmd.proxies.add`, payload)
    expect({ error, code }).toEqual({ error: expect.stringMatching(says), code: '400' })
    expect(heard).toEqual([])
    expect(weigher.counted('dropped cmd.proxies.add malformed')).toBe(1)
  })

  it('is 500 when the handler fails, or its answer breaks the contract; the cause stays in our log', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, { pool: '*' }, (_, { pool }) => {
      if (pool === 'blue') throw new Error('secret cause')
      return tableOf('No Slug')
    })
    await settled(weigher.bus)
    for (const pool of ['blue', 'red']) {
      const { error, code } = await askPlainly(`${weigher.bus.prefix}.req.weights.${pool}`)
      expect(code).toBe('500')
      expect(error).toContain('log')
      expect(error).not.toMatch(/secret|slug/)
    }
    expect(weigher.counted('dropped req.weights.{pool} handler')).toBe(2)
    expect(weigher.said('request handler failed').map(({ fields }) => fields['problem'])).toEqual([
      expect.stringContaining('secret cause'),
      expect.stringContaining('slug'),
    ])
  })

  it('is not given to a message that wants no answer', async () => {
    await using weigher = await connectedBus(nats, { prefix: ownPrefix() })
    weigher.bus.serve(weightsQuestion, blue, () => {
      throw new Refusal(404, 'no')
    })
    await settled(weigher.bus)
    user.publish(`${weigher.bus.prefix}.req.weights.blue`, '{}')
    user.publish(`${weigher.bus.prefix}.req.weights.blue`, '{')
    await waitFor(() => weigher.counted('received req.weights.{pool}') === 2, 2000)
    expect((await errorOf(weigher.bus.request(weightsQuestion, blue, {}, 2000))).status).toBe(404)
  })
})
