import type { Overload } from '@siplb/sip'
import { expect, it } from 'vitest'
import { OverloadNews } from '../../src/domain/overload-news.ts'

const loss = (value: number, validityMs = 1000): Overload => ({ algorithm: 'loss', value, seq: 1, validityMs })

it('what a proxy asks for is told when it changes, and again in good time before it runs out', () => {
  const news = new OverloadNews()
  const toldAt = (now: number) => news.take(now).map(({ load, overload }) => [load, overload?.validityMs])
  news.heard('px1', loss(30), 0)
  expect(toldAt(10)).toEqual([[0.3, 990]])
  expect(toldAt(60)).toEqual([])
  news.heard('px1', loss(30), 100)
  expect(toldAt(110)).toEqual([])
  news.heard('px1', loss(40), 120)
  expect(toldAt(130)).toEqual([[0.4, 990]])
  news.heard('px1', loss(40), 600)
  expect(toldAt(600)).toEqual([])
  expect(toldAt(620)).toEqual([[0.4, 980]])
  expect(toldAt(1700)).toEqual([])
})

it('its end is told once, where it had been told to begin', () => {
  const news = new OverloadNews()
  news.heard('px1', loss(0, 0), 0)
  expect(news.take(0)).toEqual([])
  news.heard('px1', loss(30), 10)
  news.take(10)
  news.heard('px1', loss(0, 0), 20)
  expect(news.take(30)).toMatchObject([{ load: 0, source: 'oc', overload: { validityMs: 0 } }])
  expect(news.take(40)).toEqual([])
})

it('a rate is a full load, and what nobody heard is told again', () => {
  const news = new OverloadNews()
  news.heard('px1', { algorithm: 'rate', value: 50, seq: 2, validityMs: 800 }, 0)
  const first = news.take(0)
  expect(first).toEqual([
    {
      ...{ proxy: 'px1', load: 1, source: 'oc', ageMs: 0, expiresInMs: 800 },
      overload: { algorithm: 'rate', value: 50, seq: 2, validityMs: 800 },
    },
  ])
  news.untold()
  expect(news.take(0)).toEqual(first)
})
