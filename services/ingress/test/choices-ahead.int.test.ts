import { setTimeout as sleep } from 'node:timers/promises'
import { routeQuestion, type RouteRequest } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { onBus, type BusScene } from './bus-scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

/** A location that always sends to px2, and draws ahead what it is asked for. */
async function drawAhead({ other, px2, lb }: BusScene): Promise<RouteRequest[]> {
  const questions: RouteRequest[] = []
  const candidates = [{ proxy: 'px2', uri: px2.uri, weight: 1 }]
  const revision = { pool: 'default', epoch: 1, seq: 1, policy: 'least-work', pick: 'first' } as const
  other.serve(routeQuestion, {}, (question) => {
    questions.push(question)
    const answers = question.requests.map(({ id }) => ({ outcome: 'routed', id, ...revision, candidates }) as const)
    const choices = Array.from({ length: question.ahead?.count ?? 0 }, () => candidates)
    return {
      location: 'loc1',
      answers,
      ...(question.ahead === undefined ? {} : { ahead: { ...revision, ttlMs: 1000, choices } }),
    }
  })
  await waitFor(() => lb.bus.isConnected(), 3000, 'the bus')
  await sleep(100)
  return questions
}

it('many requests cost few questions, and each goes where location drew', async () => {
  await using s = await onBus(nats, { ingress: { routeTimeoutMs: 1000 } })
  const questions = await drawAhead(s)
  let sent = 0
  const send = async (forMs: number) => {
    for (const until = performance.now() + forMs; performance.now() < until; await sleep(4)) {
      s.phone.ask({ method: 'MESSAGE' })
      sent += 1
    }
  }
  await send(600)
  const [askedBefore, sentBefore] = [questions.length, sent]
  await send(1000)
  // Twenty a second, and the few requests that found nothing.
  expect(sent - sentBefore).toBeGreaterThan(60)
  expect(questions.length - askedBefore).toBeLessThan(40)
  expect(questions.some(({ ahead }) => ahead?.pool === 'default')).toBe(true)
  await waitFor(() => s.px2.count('MESSAGE') >= sent, 3000, 'all requests at px2')
  expect(await s.lb.metric('siplb_route_fallbacks_total')).toBe(0)
})
