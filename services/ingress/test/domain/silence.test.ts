import { describe, expect, it } from 'vitest'
import { silenceMs } from '../../src/domain/silence.ts'

describe('silence', () => {
  it('is half a second for an INVITE and one and a half for others, as long as nothing is known', () => {
    expect(silenceMs('INVITE', undefined)).toBe(500)
    expect(silenceMs('REGISTER', undefined)).toBe(1500)
  })

  it('is twice the slowest usual answer where that is longer', () => {
    expect(silenceMs('INVITE', 100)).toBe(500)
    expect(silenceMs('INVITE', 700)).toBe(1400)
    expect(silenceMs('MESSAGE', 700)).toBe(1500)
    expect(silenceMs('MESSAGE', 1000)).toBe(2000)
  })

  it('has an upper bound', () => {
    expect(silenceMs('INVITE', 60_000)).toBe(8000)
  })
})
