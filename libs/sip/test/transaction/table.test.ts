import { TransactionTable } from '@siplb/sip'
import { expect, it } from 'vitest'

interface Named {
  readonly key: string
  readonly hash: number
  readonly name: string
}

/** Poor on purpose: many keys hash alike. */
const keyHash = (key: string) => Buffer.from(key).reduce((sum, octet) => sum + octet, 0)

const named = (key: string, name = key, hash = keyHash(key)): Named => ({ key, hash, name })

it('a living transaction is never replaced', () => {
  const table = new TransactionTable<Named>()
  expect(table.add(named('a', 'first'))).toBe(true)
  expect(table.add(named('a', 'second'))).toBe(false)
  expect(table.get('a', keyHash('a'))?.name).toBe('first')
  expect([...table.values()].map(({ name }) => name)).toEqual(['first'])
})

it('one that was not let in cannot take away the one that lives', () => {
  const table = new TransactionTable<Named>()
  const [first, second] = [named('a', 'first'), named('a', 'second')]
  table.add(first)
  expect([table.remove(second), table.size]).toEqual([false, 1])
  expect([table.remove(first), table.remove(first), table.get('a', keyHash('a')), table.size]).toEqual([
    true,
    false,
    undefined,
    0,
  ])
})

it('those whose keys hash alike are told apart, whichever of them goes first', () => {
  const keys = ['a', 'b', 'c']
  for (const gone of keys) {
    const table = new TransactionTable<Named>()
    const all = keys.map((key) => named(key, key, 7))
    for (const one of all) table.add(one)
    for (const one of all) if (one.key === gone) table.remove(one)
    expect(keys.map((key) => table.get(key, 7)?.name)).toEqual(keys.map((key) => (key === gone ? undefined : key)))
    expect(table.add(named(gone, 'again', 7))).toBe(true)
    expect(table.get(gone, 7)?.name).toBe('again')
  }
})

it('is what a Map is, while very many come and go', () => {
  const table = new TransactionTable<Named>()
  const map = new Map<string, Named>()
  let random = 1
  for (let i = 0; i < 50_000; i++) {
    random = (random * 48_271) % 2_147_483_647
    const one = named(`z9hG4bK${random % 7000}\nhost:5060\nINVITE`, String(i))
    const known = map.get(one.key)
    if (known === undefined) map.set(one.key, one)
    else if (random % 3 === 0) map.delete(one.key)
    expect(known === undefined ? table.add(one) : random % 3 === 0 ? table.remove(known) : !table.add(one)).toBe(true)
  }
  expect(map.size).toBeGreaterThan(2000)
  expect(table.size).toBe(map.size)
  expect(new Set(table.values())).toEqual(new Set(map.values()))
  for (let i = 0; i < 7000; i++) {
    const key = `z9hG4bK${i}\nhost:5060\nINVITE`
    expect(table.get(key, keyHash(key))).toBe(map.get(key))
  }
})
