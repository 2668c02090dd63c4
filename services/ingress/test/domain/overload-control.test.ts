import type { Overload } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { OverloadControl } from '../../src/domain/overload-control.ts'

const loss = (value: number, seq = 0, validityMs = 500): Overload => ({ algorithm: 'loss', value, seq, validityMs })
const rate = (value: number, seq = 0, validityMs = 500): Overload => ({ algorithm: 'rate', value, seq, validityMs })

/** One that was told something: by itself (`observe`), or by somebody else (`hear`). */
function told(...words: readonly (readonly ['observe' | 'hear', Overload, number])[]): OverloadControl {
  const control = new OverloadControl()
  for (const [how, overload, at] of words) {
    if (how === 'observe') control.observe('px1', overload, at)
    else control.hear('px1', overload, 0, at)
  }
  return control
}

describe('what a proxy asks for', () => {
  it.each([
    { words: [['observe', loss(30), 0]], at: 0, asks: 30, because: 'it said so' },
    { words: [['observe', loss(30), 0]], at: 499, asks: 30, because: 'it holds on' },
    { words: [['observe', loss(30), 0]], at: 500, asks: undefined, because: 'it has run out' },
    { words: [['observe', loss(30, 1, 3000), 0]], at: 2999, asks: 30, because: 'it said for how long' },
    {
      words: [
        ['observe', loss(30), 0],
        ['observe', loss(30), 400],
      ],
      at: 800,
      asks: 30,
      because: 'it said it again',
    },
    {
      words: [
        ['observe', loss(30, 1), 0],
        ['observe', loss(0, 2, 0), 10],
      ],
      at: 20,
      asks: undefined,
      because: 'it ended it',
    },
    {
      words: [
        ['observe', loss(30, 1), 0],
        ['observe', loss(0, 2), 10],
      ],
      at: 20,
      asks: undefined,
      because: 'no loss is nothing',
    },
    {
      words: [
        ['observe', loss(30, 5.7), 0],
        ['observe', loss(90, 5.6), 10],
      ],
      at: 20,
      asks: 30,
      because: 'the other one is old',
    },
    {
      words: [
        ['observe', loss(30, 5.7), 0],
        ['observe', loss(90, 5.7), 10],
      ],
      at: 20,
      asks: 30,
      because: 'the same is old too',
    },
    {
      words: [
        ['observe', loss(30, 5.7), 0],
        ['observe', loss(90, 5.8), 10],
      ],
      at: 20,
      asks: 90,
      because: 'it is newer',
    },
    {
      words: [
        ['observe', loss(30, 5.7), 0],
        ['observe', loss(90), 10],
      ],
      at: 20,
      asks: 90,
      because: 'it has no number',
    },
    {
      words: [
        ['observe', loss(30, 9), 0],
        ['observe', loss(20, 1), 32_000],
      ],
      at: 32_100,
      asks: 20,
      because: 'it counts anew',
    },
    { words: [['hear', loss(30, 7), 0]], at: 20, asks: 30, because: 'another one heard it' },
    {
      words: [
        ['hear', loss(30, 7), 0],
        ['hear', loss(30, 7), 400],
      ],
      at: 800,
      asks: 30,
      because: 'others put it in order',
    },
    {
      words: [
        ['observe', loss(30, 7), 0],
        ['hear', loss(50, 8), 10],
      ],
      at: 20,
      asks: 50,
      because: 'the newest word holds',
    },
    {
      words: [
        ['observe', loss(30, 7), 0],
        ['hear', loss(50, 6), 10],
      ],
      at: 20,
      asks: 30,
      because: 'what we know is newer',
    },
    {
      words: [
        ['observe', loss(30, 7), 0],
        ['hear', loss(0, 8, 0), 10],
      ],
      at: 20,
      asks: undefined,
      because: 'others heard its end',
    },
    {
      words: [
        ['observe', rate(30, 7), 0],
        ['hear', rate(50, 8), 10],
      ],
      at: 20,
      asks: 30,
      because: 'that rate is for us',
    },
    {
      words: [
        ['observe', rate(30, 7), 0],
        ['hear', rate(50, 8), 500],
      ],
      at: 520,
      asks: 50,
      because: 'ours has run out',
    },
    { words: [['observe', rate(0, 7), 0]], at: 20, asks: 0, because: 'a rate of nothing is asked' },
  ] as const)('is $asks, for $because', ({ words, at, asks }) => {
    const control = told(...words)
    expect(control.askedAt('px1', at)?.value).toBe(asks)
    expect(control.isAsked(at)).toBe(asks !== undefined)
    expect(control.askedAt('px2', at)).toBeUndefined()
  })

  it('is as old as it was when it was told', () => {
    const control = new OverloadControl()
    control.hear('px1', loss(30), 400, 1000)
    expect([control.askedAt('px1', 1099)?.value, control.askedAt('px1', 1100)]).toEqual([30, undefined])
  })

  it('is forgotten with the proxy', () => {
    const control = told(['observe', loss(30, 9), 0])
    control.keepOnly((proxy) => proxy === 'px2')
    expect(control.askedAt('px1', 1)).toBeUndefined()
    expect(control.observe('px1', loss(20, 1), 2)).toBe(true)
  })
})

it('a loss over 100 %, told on the bus, is one of 100 %', () => {
  expect(told(['hear', loss(1_000_000), 0]).askedAt('px1', 0)?.value).toBe(100)
})

it('what ran out on its way ends nothing that holds', () => {
  const control = told(['observe', loss(30, 1, 5000), 0])
  expect(control.hear('px1', loss(10, 1, 500), 600, 100)).toBe(false)
  expect(control.askedAt('px1', 100)?.value).toBe(30)
})
