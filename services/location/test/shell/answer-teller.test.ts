import type { RouteAnswer } from '@siplb/contracts'
import { createLogger } from '@siplb/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { tellEveryMs } from '../../src/config.ts'
import { AnswerTeller } from '../../src/shell/answer-teller.ts'

interface Told {
  readonly at: number
  readonly ids: readonly string[]
}

class Scene {
  readonly told: Told[] = []
  untold = 0
  fails = false
  readonly teller: AnswerTeller

  constructor() {
    const publish = (_: unknown, __: unknown, data: unknown) => {
      if (this.fails) throw new Error('no')
      const all = data as readonly { readonly answer: RouteAnswer }[]
      this.told.push({ at: performance.now(), ids: all.map(({ answer }) => answer.id) })
      return true
    }
    const log = createLogger('location', 'test', { level: 'silent' })
    this.teller = new AnswerTeller({ publish }, { untold: { inc: () => (this.untold += 1) } as never }, log)
  }

  answer(...ids: readonly string[]): void {
    this.teller.answered(
      'ingress',
      ids.map((id) => ({ outcome: 'no-pool', id })),
    )
  }

  get ids(): readonly string[] {
    return this.told.flatMap(({ ids }) => ids)
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
