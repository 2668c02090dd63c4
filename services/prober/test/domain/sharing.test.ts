import { describe, expect, it } from 'vitest'
import {
  beatHeard,
  beatRemoved,
  livingProbers,
  probersOf,
  silentProbers,
  type Beats,
} from '../../src/domain/sharing.ts'

const keys = Array.from({ length: 3000 }, (_, i) => `default.px${i}`)

const proberOf = (key: string, probers: readonly string[]) => probersOf(key, probers, 1)[0]

function heard(prober: string, ...beats: readonly (readonly [revision: number, now: number])[]): Beats {
  return beats.reduce<Beats>((all, [revision, now]) => beatHeard(all, prober, revision, now), new Map())
}

describe('a prober', () => {
  it('is alone at first', () => {
    expect(livingProbers(new Map(), 'a', 0)).toEqual(['a'])
  })

  it('is alive for 3 s after each sign of life', () => {
    const beats = heard('b', [1, 0], [2, 1000])
    expect(livingProbers(beats, 'a', 4000)).toEqual(['a', 'b'])
    expect(livingProbers(beats, 'a', 4001)).toEqual(['a'])
  })

  it('is alive for no more than a beat and a half by a sign of life that may have lain in the store for years', () => {
    expect(livingProbers(heard('b', [1, 0]), 'a', 1500)).toEqual(['a', 'b'])
    expect(livingProbers(heard('b', [1, 0]), 'a', 1501)).toEqual(['a'])
  })

  it('is not alive for the same sign of life told again', () => {
    const beats = heard('b', [1, 0], [2, 1000], [2, 4000])
    expect(livingProbers(beats, 'a', 4500)).toEqual(['a'])
  })

  it('is gone at once when it says so', () => {
    const beats = beatRemoved(heard('b', [1, 0], [2, 1000]), 'b')
    expect(livingProbers(beats, 'a', 1001)).toEqual(['a'])
  })

  it('is forgotten after a minute of silence, this one never', () => {
    const beats = heard('b', [1, 0], [2, 1000])
    expect(silentProbers(beats, 'a', 61_000)).toEqual([])
    expect(silentProbers(beats, 'a', 61_001)).toEqual(['b'])
    expect(silentProbers(beats, 'b', 61_001)).toEqual([])
  })
})

describe('the shares', () => {
  it('are even', () => {
    const probers = ['host-1a2b', 'host-1a2c', 'host-1a2d']
    for (const prober of probers) {
      const share = keys.filter((key) => proberOf(key, probers) === prober).length
      // Binomial: 1000 ± 26; 4.5 σ.
      expect(Math.abs(share - 1000)).toBeLessThan(117)
    }
  })

  it('of the others stay as they are when one prober goes', () => {
    const staying = keys.filter((key) => proberOf(key, ['a', 'b', 'c']) !== 'b')
    const after = staying.map((key) => proberOf(key, ['a', 'c']))
    expect(after).toEqual(staying.map((key) => proberOf(key, ['a', 'b', 'c'])))
  })

  it('of one that goes are spread over all others', () => {
    const orphans = keys.filter((key) => proberOf(key, ['a', 'b', 'c']) === 'b')
    const toA = orphans.filter((key) => proberOf(key, ['a', 'c']) === 'a').length
    expect(Math.abs(toA / orphans.length - 0.5)).toBeLessThan(0.08)
  })
})

describe('several vantage points', () => {
  const probers = ['a', 'b', 'c', 'd']

  it('are as many different probers at each proxy, evenly spread', () => {
    const shares = new Map(probers.map((prober) => [prober, 0]))
    for (const key of keys) {
      const two = probersOf(key, probers, 2)
      expect(new Set(two).size).toBe(2)
      for (const prober of two) shares.set(prober, (shares.get(prober) ?? 0) + 1)
    }
    // 3000 keys, two of four probers each: 1500 ± 27; 4.5 σ.
    for (const share of shares.values()) expect(Math.abs(share - 1500)).toBeLessThan(124)
  })

  it('are all that are alive where these are fewer', () => {
    expect(probersOf('default.px1', ['a', 'b'], 3)).toEqual(['a', 'b'])
  })

  it('stay, less the one that gives way, when another prober comes', () => {
    for (const key of keys) {
      const before = probersOf(key, ['a', 'b', 'c'], 2)
      const stayed = probersOf(key, probers, 2).filter((prober) => prober !== 'd')
      expect(before).toEqual(expect.arrayContaining([...stayed]))
      expect(stayed.length).toBeGreaterThanOrEqual(1)
    }
  })
})
