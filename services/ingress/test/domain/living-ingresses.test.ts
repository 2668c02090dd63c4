import { expect, it } from 'vitest'
import { LivingIngresses } from '../../src/domain/living-ingresses.ts'

it('counts itself, and the others while they were heard within two seconds', () => {
  const ingresses = new LivingIngresses('lb1')
  expect(ingresses.count(0)).toBe(1)
  ingresses.seen('lb1', 0)
  ingresses.seen('lb2', 0)
  ingresses.seen('lb3', 1000)
  expect([ingresses.count(1999), ingresses.count(2000), ingresses.count(3000)]).toEqual([3, 2, 1])
})
