import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shortName } from '../../src/domain/short-name.ts'

it('is short, and the same for the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      expect(shortName(text)).toMatch(/^[0-9a-z]{28}$/)
      expect(shortName(text)).toBe(shortName(`${text}`))
    }),
  )
})

it('is that of all texts as one', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      expect(shortName(...texts)).toBe(shortName(texts.join('')))
    }),
  )
})

it('is what it was in every version', () => {
  expect(shortName('call-1@example.com alice bob')).toBe('0uz8i6h1wqp9cq1bgcglq01rlkyn')
})

it('is another for every text, however alike they are', () => {
  const names = new Set<string>()
  for (let i = 0; i < 200_000; i++) names.add(shortName(`call-${i}@example.com\nalice`))
  expect(names.size).toBe(200_000)
})

it('differs in about half of its bits where one of the text does', () => {
  const characters = (name: string) => name.split('')
  let same = 0
  for (let i = 0; i < 1000; i++) {
    const other = characters(shortName(`a${i}`))
    same += characters(shortName(`b${i}`)).filter((c, at) => c === other[at]).length
  }
  // Of 36 characters one is the same by chance; the first of seven is often a 0 or a 1.
  expect(same / 28_000).toBeLessThan(0.12)
})
