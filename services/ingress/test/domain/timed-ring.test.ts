import { describe, expect, it } from 'vitest'
import { keyHash } from '../../src/shell/key-hash.ts'
import { ENTRIES, Page, TimedRing } from '../../src/domain/timed-ring.ts'

const KEPT_MS = 1000

class Tried {
  now = 0
  pages = 0
  readonly ring = new TimedRing({
    keptMs: KEPT_MS,
    pageOctets: 4096,
    makePage: (octets) => {
      this.pages += 1
      return new Page(octets)
    },
  })

  add(key: string, bytes = '', hash = keyHash(key)): void {
    this.ring.add(key, hash, this.now, Buffer.from(bytes))
  }

  find(key: string, hash = keyHash(key)): string | undefined {
    const found = this.ring.find(key, hash, () => this.now)
    return found === undefined ? undefined : String(found.page.bytes(found.place))
  }

  get size(): number {
    return this.ring.sizeAt(this.now)
  }
}

describe('a ring', () => {
  it('keeps what it was given for its time, and not a moment longer', () => {
    const tried = new Tried()
    tried.add('a', 'one')
    tried.now = 400
    tried.add('b', 'two')
    tried.now = KEPT_MS - 1
    expect([tried.find('a'), tried.find('b'), tried.find('c'), tried.size]).toEqual(['one', 'two', undefined, 2])
    tried.now = KEPT_MS
    expect([tried.find('a'), tried.find('b'), tried.size]).toEqual([undefined, 'two', 1])
    tried.now = KEPT_MS + 400
    expect([tried.find('b'), tried.size]).toEqual([undefined, 0])
  })

  it('tells those apart whose keys hash alike, and gives the newest of those with the same key', () => {
    const tried = new Tried()
    for (const [key, bytes] of [
      ['a', 'one'],
      ['b', 'two'],
      ['a', 'three'],
    ] as const)
      tried.add(key, bytes, 7)
    expect([tried.find('a', 7), tried.find('b', 7), tried.find('c', 7)]).toEqual(['three', 'two', undefined])
    expect(tried.find('a', 8)).toBeUndefined()
  })

  it('keeps keys of any characters, and octets of any length', () => {
    const tried = new Tried()
    const large = 'x'.repeat(60_000)
    const kept = ['käse\n', '\u{1F4DE}'.repeat(100), ''].map((key, i) => [key, i === 1 ? large : `bytes ${i}`] as const)
    for (const [key, bytes] of kept) tried.add(key, bytes)
    expect(kept.map(([key]) => tried.find(key))).toEqual(kept.map(([, bytes]) => bytes))
    expect(tried.find('k\u00e4se')).toBeUndefined()
  })

  it('is what a Map with timers is, over many pages, and uses their memory again', () => {
    const tried = new Tried()
    const due = new Map<string, number>()
    for (let i = 0; i < 30_000; i++) {
      tried.now += i % 3
      const key = `z9hG4bK${i}\nhost:5060\nBYE`
      tried.add(key, `SIP/2.0 200 OK ${i}`)
      due.set(key, tried.now + KEPT_MS)
      if (i % 97 !== 0) continue
      for (const [other, at] of due) {
        const isOver = at <= tried.now
        expect(tried.find(other) === undefined).toBe(isOver)
        if (isOver) due.delete(other)
      }
      expect(tried.size).toBe(due.size)
    }
    // As many as are needed for what is kept at one time.
    expect(tried.pages).toBeLessThan(30)
    expect(30_000 / ENTRIES).toBeGreaterThan(100)
  })

  it('finds all, whatever there were of them when they came: many more than before, and few again', () => {
    const tried = new Tried()
    const due = new Map<string, number>()
    const check = () => {
      for (const [key, at] of due) {
        expect(tried.find(key)).toBe(at > tried.now ? key : undefined)
        if (at <= tried.now) due.delete(key)
      }
      expect(tried.size).toBe(due.size)
    }
    for (const rate of [1, 20, 80, 5, 1, 1, 30]) {
      for (let ms = 0; ms < 400; ms++) {
        tried.now += 1
        for (let i = 0; i < rate; i++) {
          const key = `${tried.now}:${i}`
          tried.add(key, key)
          due.set(key, tried.now + KEPT_MS)
        }
      }
      check()
    }
    tried.add('twice', 'before', 7)
    for (let i = 0; i < 100_000; i++) tried.add(`more ${i}`)
    tried.add('twice', 'after', 7)
    expect(tried.find('twice', 7)).toBe('after')
    const all = tried.ring.findAll('twice', 7, tried.now)
    expect(all.map(({ page, place }) => String(page.bytes(place)))).toEqual(['before', 'after'])
  })

  it('lets go of what belongs to an entry when its time is over, though others of its page go on', () => {
    const released: number[] = []
    class Watched extends Page {
      override release(place: number): void {
        released.push(place)
      }
    }
    const ring = new TimedRing({ keptMs: KEPT_MS, pageOctets: 4096, makePage: (octets) => new Watched(octets) })
    for (const at of [0, 10, 500]) ring.add(`at ${at}`, at, at)
    expect([ring.sizeAt(KEPT_MS + 10), released]).toEqual([1, [0, 1]])
  })

  it('gives all with the same key, in the order in which they came', () => {
    const tried = new Tried()
    for (const [i, bytes] of ['one', 'two', 'three', 'four'].entries()) {
      tried.now = i * 300
      tried.add('a', bytes, 7)
      tried.add('b', '', 7)
    }
    const all = () => tried.ring.findAll('a', 7, tried.now).map(({ page, place }) => String(page.bytes(place)))
    expect(all()).toEqual(['one', 'two', 'three', 'four'])
    tried.now = KEPT_MS + 300
    expect(all()).toEqual(['three', 'four'])
  })

  it('keeps no more than it may, the newest of them', () => {
    const ring = new TimedRing({
      keptMs: KEPT_MS,
      most: 1000,
      pageOctets: 4096,
      makePage: (octets) => new Page(octets),
    })
    for (let i = 0; i < 5000; i++) ring.add(`key ${i}`, keyHash(`key ${i}`), 0)
    expect(ring.sizeAt(0)).toBe(1000)
    const has = (i: number) => ring.find(`key ${i}`, keyHash(`key ${i}`), () => 0) !== undefined
    expect([has(3999), has(4000), has(4999)]).toEqual([false, true, true])
  })

  it('is empty after a pause, and then as good as new', () => {
    const tried = new Tried()
    for (let i = 0; i < 1000; i++) tried.add(`key ${i}`, 'before')
    tried.now = 1e9
    expect([tried.size, tried.find('key 999')]).toEqual([0, undefined])
    tried.add('key 1', 'after')
    expect([tried.find('key 1'), tried.find('key 2'), tried.size]).toEqual(['after', undefined, 1])
  })
})
