import { routeQuestion, type RouteReply } from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import type { BusScene } from './bus-scene.ts'
import type { Scene } from './scene.ts'

export interface Location {
  readonly callIds: string[]
}

type Answer = RouteReply['answers'][number]

/** A location that sends everything where the test says; resolves when the ingress hears it. */
export async function locate(s: BusScene, answer: (id: string) => Answer | 'hang'): Promise<Location> {
  const location: Location = { callIds: [] }
  s.other.serve(routeQuestion, {}, async ({ requests }) => {
    for (const { callId } of requests) location.callIds.push(callId)
    const answers = requests.map(({ id }) => answer(id))
    if (answers.includes('hang')) await new Promise(() => {})
    return { location: 'location-1', answers: answers.filter((one) => one !== 'hang') }
  })
  const isServed = () =>
    s.other.request(routeQuestion, {}, { ingress: 'test', requests: [] }, 1000).then(Boolean, () => false)
  await waitFor(isServed, 3000, 'location')
  return location
}

export const toPx2 = (s: Scene) => (id: string) => ({
  ...{ outcome: 'routed' as const, id, pool: 'default', epoch: 1, seq: 1, policy: 'least-work' as const },
  pick: 'first' as const,
  candidates: [{ proxy: 'px2', uri: s.px2.uri, weight: 1 }],
})
