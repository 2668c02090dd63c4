import type { EventBatch } from '@siplb/bus'
import { routeAnswered, type Policy, type RouteAnswer } from '@siplb/contracts'
import { buildSnapshot, createChooser } from '@siplb/routing'
import { createLogger } from '@siplb/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { tellEveryMs } from '../../src/config.ts'
import { drawAhead } from '../../src/domain/choices-ahead.ts'
import { AnswerTeller } from '../../src/shell/answer-teller.ts'
import { decodeEvents } from '../../../../libs/bus/src/codec.ts'
import { WrittenEvents } from '../../../../libs/bus/src/written-events.ts'
import { tableOf } from '../tables.ts'

interface Told {
  readonly at: number
  readonly answers: readonly RouteAnswer[]
}

class Scene {
  readonly told: Told[] = []
  untold = 0
  fails = false
  readonly teller: AnswerTeller

  constructor() {
    const send = (batches: readonly Uint8Array[]) => {
      if (this.fails) throw new Error('no')
      const at = performance.now()
      const events = batches.flatMap((one) => decodeEvents(routeAnswered, one).events)
      this.told.push({ at, answers: events.map(({ data: { answer } }) => answer) })
      return true
    }
    const batch = (): EventBatch =>
      new WrittenEvents(routeAnswered, { source: '/siplb/location/l-1', nextId: () => '1', send })
    const log = createLogger('location', 'test', { level: 'silent' })
    this.teller = new AnswerTeller({ batch }, { untold: { inc: () => (this.untold += 1) } as never }, log)
  }

  answer(...ids: readonly string[]): void {
    this.teller.answered(
      'ingress',
      ids.map((id) => ({ outcome: 'no-pool', id })),
    )
  }

  get ids(): readonly string[] {
    return this.told.flatMap(({ answers }) => answers.map(({ id }) => id))
  }
}

it('tells at once after a pause, before anything else gets its turn', async () => {
  const s = new Scene()
  s.answer('1', '2')
  expect(s.told).toEqual([])
  await Promise.resolve()
  expect(s.ids).toEqual(['1', '2'])
})

it('tells in batches, never sooner than so long after the last one, and nothing twice', async () => {
  const s = new Scene()
  const ids = Array.from({ length: 60 }, (_, i) => String(i))
  for (const id of ids) {
    s.answer(id)
    await sleep(2)
  }
  await sleep(2 * tellEveryMs)
  expect(s.ids).toEqual(ids)
  const gaps = s.told.slice(1).map(({ at }, i) => at - (s.told[i]?.at ?? 0))
  expect(Math.min(...gaps)).toBeGreaterThan(tellEveryMs - 2)
  expect(s.told.length).toBeGreaterThan(2)
})

it('tells what is left when it is stopped', async () => {
  const s = new Scene()
  s.answer('1')
  await Promise.resolve()
  s.answer('2')
  s.teller.stop()
  expect(s.ids).toEqual(['1', '2'])
  await sleep(2 * tellEveryMs)
  expect(s.told.length).toBe(2)
})

it('goes on after it failed, and counts what finds no place', async () => {
  const s = new Scene()
  s.fails = true
  s.answer('lost')
  await Promise.resolve()
  s.fails = false
  s.answer(...Array.from({ length: 5001 }, (_, i) => String(i)))
  await sleep(2 * tellEveryMs)
  expect([s.told.length, s.ids.length, s.untold]).toEqual([1, 5000, 1])
})

it.each<Policy>(['least-work', 'smooth-round-robin'])(
  'tells each choice ahead as an answer of its own, by %s',
  async (policy) => {
    const s = new Scene()
    const table = tableOf({ px1: 10, px2: 20.5, px3: 30, px4: 1 }, { policy, epoch: 3, seq: 8 })
    const ahead = drawAhead(buildSnapshot(table), createChooser(Math.random), 50, 1000)
    s.teller.gaveAhead('ingress', ahead)
    await Promise.resolve()
    const { candidates, indexes } = ahead.compact
    const common = { outcome: 'routed', id: '', pool: 'default', epoch: 3, seq: 8, policy, pick: ahead.pick }
    expect(indexes.some((places) => places.length > 2)).toBe(true)
    expect(s.told.flatMap(({ answers }) => answers)).toEqual(
      indexes.map((places) => ({ ...common, candidates: places.map((place) => candidates[place]) })),
    )
  },
)
