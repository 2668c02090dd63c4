import { expect, it } from 'vitest'
import { chooseEndpoint } from '../../src/domain/endpoint-choice.ts'

const at = (address: string) => ({ transport: 'tcp', address, port: 5060 })
const [a, b, c] = [at('192.0.2.1'), at('192.0.2.2'), at('192.0.2.3')] as const

it('takes the first place where there was none before, or the one before is gone', () => {
  expect(chooseEndpoint([a, b], undefined, false)).toBe(a)
  expect(chooseEndpoint([a, b], c, false)).toBe(a)
  expect(chooseEndpoint([a, b], { ...b, transport: 'udp' }, false)).toBe(a)
  expect(chooseEndpoint([], a, false)).toBeUndefined()
})

it('keeps its place in whatever order they come', () => {
  expect(chooseEndpoint([b, a, c], { ...a }, false)).toBe(a)
})

it('takes the next one in doubt, and the first after the last', () => {
  expect(chooseEndpoint([a, b, c], a, true)).toBe(b)
  expect(chooseEndpoint([a, b, c], c, true)).toBe(a)
  expect(chooseEndpoint([a], a, true)).toBe(a)
})
