import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal, type Bus } from '@siplb/bus'
import { routeQuestion, routeQuestionTo, type RouteFacts, type RouteReply, type RouteRequest } from '@siplb/contracts'
import { nowMs } from '@siplb/runtime'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RouteClient, type Answered } from '../../src/shell/route-client.ts'
import { connectBus } from '../ingress-under-test.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

/** A prefix of its own keeps the tests apart on one server. */
let scenes = 0

class Scene implements AsyncDisposable {
  readonly #url: string
  readonly #prefix = `test-${(scenes += 1)}`
  readonly #buses: Bus[] = []

  constructor(url: string) {
    this.#url = url
  }

  async client(budgetMs: number): Promise<RouteClient> {
    return new RouteClient({ bus: await this.#connect('ingress', 'lb1'), budgetMs, now: nowMs })
  }

  async location(instance: string, answer: (request: RouteRequest) => Answer): Promise<Location> {
    const bus = await this.#connect('location', instance)
    const location: Location = { questions: 0, isHung: false }
    const handler = (request: RouteRequest): Promise<RouteReply> => {
      location.questions += 1
      if (location.isHung) return new Promise(() => {})
      return Promise.resolve({ location: instance, answers: answer(request) })
    }
    bus.serve(routeQuestion, {}, handler)
    bus.serve(routeQuestionTo, { instance }, handler)
    return location
  }

  async #connect(service: string, instance: string): Promise<Bus> {
    const bus = await connectBus(service, instance, this.#url, this.#prefix)
    this.#buses.push(bus)
    return bus
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()))
  }
}

type Answer = RouteReply['answers']

interface Location {
  questions: number
  isHung: boolean
}

const answerAll = ({ requests }: RouteRequest): Answer =>
  requests.map(({ id }) => ({ outcome: 'no-proxy', id, pool: 'default' }))

function facts(id: string, parts: Partial<RouteFacts> = {}): RouteFacts {
  const uris = { requestUri: 'sip:bob@example.com', from: 'sip:a@example.com', to: 'sip:b@example.com' }
  return { id, method: 'INVITE', callId: id, source: '192.0.2.1', ...uris, ...parts }
}

const ask = (client: RouteClient, id: string, parts?: Partial<RouteFacts>) =>
  new Promise<Answered>((resolve) => client.ask(facts(id, parts), resolve))

/** Until somebody serves: what is said on the bus takes its time. */
async function served(client: RouteClient): Promise<void> {
  await waitFor(async () => (await ask(client, 'first')).source === 'location', 3000, 'a location')
}

const from = (answers: readonly Answered[], source: Answered['source']) =>
  answers.filter((answered) => answered.source === source).length

describe.concurrent('a question where a request should go', () => {
  it('is answered by location', async () => {
    await using scene = new Scene(nats.url)
    await scene.location('a', answerAll)
    const client = await scene.client(1000)
    await served(client)
    expect(await ask(client, '7')).toEqual({
      source: 'location',
      answer: { outcome: 'no-proxy', id: '7', pool: 'default' },
    })
  })

  it('goes with all others of one turn in one message, and each gets its own answer', async () => {
    await using scene = new Scene(nats.url)
    const location = await scene.location('a', answerAll)
    const client = await scene.client(1000)
    await served(client)
    const before = location.questions
    const ids = Array.from({ length: 50 }, (_, i) => String(i))
    const answers = await Promise.all(ids.map((id) => ask(client, id)))
    expect(location.questions - before).toBe(1)
    expect(answers.map((one) => (one.source === 'location' ? one.answer.id : 'none'))).toEqual(ids)
  })

  it('goes in messages of at most five hundred', async () => {
    await using scene = new Scene(nats.url)
    const sizes: number[] = []
    await scene.location('a', (request) => {
      sizes.push(request.requests.length)
      return answerAll(request)
    })
    const client = await scene.client(1000)
    await served(client)
    sizes.length = 0
    const answers = await Promise.all(Array.from({ length: 1100 }, (_, i) => ask(client, String(i))))
    expect([from(answers, 'location'), sizes]).toEqual([1100, [500, 500, 100]])
  })
})

describe.concurrent('without an answer the ingress chooses by itself', () => {
  it('at once where nobody is there', async () => {
    await using scene = new Scene(nats.url)
    const client = await scene.client(1000)
    const askedAt = nowMs()
    expect(await ask(client, '1')).toEqual({ source: 'local', why: 'no-responders' })
    expect(nowMs() - askedAt).toBeLessThan(500)
  })

  it('within the budget where the one that is there hangs', async () => {
    await using scene = new Scene(nats.url)
    const location = await scene.location('a', answerAll)
    const client = await scene.client(60)
    await served(client)
    location.isHung = true
    const askedAt = nowMs()
    expect(await ask(client, '1')).toEqual({ source: 'local', why: 'timeout' })
    expect(nowMs() - askedAt).toBeGreaterThanOrEqual(25)
    expect(nowMs() - askedAt).toBeLessThan(400)
  })

  it('where location refuses, or leaves one out', async () => {
    await using scene = new Scene(nats.url)
    let isRefusing = false
    await scene.location('a', (request) => {
      if (isRefusing) throw new Refusal(500, 'not today')
      return answerAll(request).filter(({ id }) => id !== 'left out')
    })
    const client = await scene.client(1000)
    await served(client)
    const answers = await Promise.all([ask(client, 'left out'), ask(client, 'in')])
    expect(answers).toMatchObject([{ source: 'local', why: 'failed' }, { source: 'location' }])
    isRefusing = true
    expect(await ask(client, '1')).toEqual({ source: 'local', why: 'failed' })
  })

  it('where a question does not fit the contract', async () => {
    await using scene = new Scene(nats.url)
    await scene.location('a', answerAll)
    const client = await scene.client(1000)
    await served(client)
    expect(await ask(client, '1', { callId: 'x'.repeat(5000) })).toEqual({ source: 'local', why: 'failed' })
  })

  it('before the question is even put, where the bus is gone', async () => {
    const bus = await connectBus('ingress', 'lb1')
    const client = new RouteClient({ bus, budgetMs: 1000, now: nowMs })
    let answered: Answered | undefined
    client.ask(facts('1'), (one) => (answered = one))
    expect(answered).toEqual({ source: 'local', why: 'disconnected' })
    await bus.close()
  })
})

describe.concurrent('of two locations one that hangs', () => {
  it('costs no answer where it never gave one, since the other is asked after half of the budget', async () => {
    await using scene = new Scene(nats.url)
    const [hung] = [await scene.location('hung', answerAll), await scene.location('good', answerAll)]
    hung.isHung = true
    const client = await scene.client(200)
    await served(client)
    const answers: Answered[] = []
    for (let i = 0; i < 40; i++) answers.push(await ask(client, String(i)))
    expect(from(answers, 'local')).toBe(0)
  })

  it('is gone round within three seconds, though it had answered before', async () => {
    await using scene = new Scene(nats.url)
    const locations = [await scene.location('one', answerAll), await scene.location('two', answerAll)] as const
    const client = await scene.client(100)
    await waitFor(async () => {
      await ask(client, 'warm')
      return locations.every(({ questions }) => questions > 3)
    }, 10_000)
    const [hung] = locations
    hung.isHung = true
    const answers: Answered[] = []
    const hungAt = nowMs()
    while (nowMs() - hungAt < 2500) {
      answers.push(await ask(client, String(answers.length)))
      await sleep(5)
    }
    // Its own share of the first questions, and one more to find out that it does not answer directly either.
    expect(from(answers, 'local')).toBeLessThanOrEqual(2)
    const heardBefore = hung.questions
    const later: Answered[] = []
    for (let i = 0; i < 50; i++) later.push(await ask(client, String(i)))
    expect([from(later, 'location'), hung.questions - heardBefore]).toEqual([50, 0])
  })

  it('takes part again when it answers again', async () => {
    await using scene = new Scene(nats.url)
    const hung = await scene.location('hung', answerAll)
    await scene.location('good', answerAll)
    hung.isHung = true
    const client = await scene.client(100)
    await served(client)
    for (let i = 0; i < 10; i++) await ask(client, String(i))
    hung.isHung = false
    const before = hung.questions
    await waitFor(
      async () => {
        await ask(client, 'again')
        await sleep(20)
        return hung.questions > before
      },
      8000,
      'a question to the one that answers again',
    )
  })
})
