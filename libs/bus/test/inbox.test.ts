import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Inbox } from '../src/inbox.ts'

const large = (name: string) => ({ name, data: new Uint8Array(20_000) })
const small = (name: string) => ({ name, data: new Uint8Array(20) })

function inbox(pace?: 'gentle') {
  const heard: string[] = []
  return { heard, inbox: new Inbox<{ name: string; data: Uint8Array }>(({ name }) => heard.push(name), pace) }
}

it('hands messages on at once where nobody asked for a gentle pace', () => {
  const { heard, inbox: one } = inbox()
  one.take(large('a'))
  one.take(small('b'))
  expect(heard).toEqual(['a', 'b'])
})

it('hands one large message on in a turn, and what came behind it after it', async () => {
  const { heard, inbox: one } = inbox('gentle')
  for (const message of [large('A'), small('b'), large('C'), small('d')]) one.take(message)
  expect(heard).toEqual([])
  await turn()
  expect(heard).toEqual(['A'])
  await turn()
  expect(heard).toEqual(['A', 'b', 'C'])
  await turn()
  expect(heard).toEqual(['A', 'b', 'C', 'd'])
  one.take(small('e'))
  expect(heard.at(-1)).toBe('e')
})
