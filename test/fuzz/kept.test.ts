import { expect, it } from 'vitest'
import { examine } from './examine.ts'
import { kept } from './seeds.ts'

it.each(kept())('$name makes nothing throw, and what is made of it is what was promised', ({ bytes }) => {
  expect(() => examine(bytes)).not.toThrow()
})
