import { TransactionTable } from '@siplb/sip'
import { expect, it } from 'vitest'

it('a living transaction is never replaced', () => {
  const table = new TransactionTable<string>()
  expect(table.add('a', 'first')).toBe(true)
  expect(table.add('a', 'second')).toBe(false)
  expect(table.get('a')).toBe('first')
  expect([...table.entries()]).toEqual([['a', 'first']])
})

it('what stands for a living transaction takes its place, and none for one that is over', () => {
  const table = new TransactionTable<string>()
  table.add('a', 'first')
  table.replace('a', 'what is left of it')
  table.replace('b', 'of nothing')
  expect([table.get('a'), table.get('b'), table.size, table.added]).toEqual(['what is left of it', undefined, 1, 1])
})

it('the living and all there were are counted', () => {
  const table = new TransactionTable<number>()
  table.add('a', 1)
  table.add('b', 2)
  expect([table.remove('a'), table.remove('a'), table.get('a')]).toEqual([true, false, undefined])
  expect([table.size, table.added]).toEqual([1, 2])
})
