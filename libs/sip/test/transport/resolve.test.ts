import { createResolver } from '@siplb/sip/transport'
import type { Lookup } from '@siplb/sip/transport'
import { expect, it } from 'vitest'

it('gives numeric hosts back without asking', async () => {
  const resolver = createResolver(() => {
    throw new Error('asked')
  })
  expect(await resolver.resolve('192.0.2.1')).toMatchObject({ address: '192.0.2.1', family: 4 })
  expect(await resolver.resolve('[2001:db8::1]')).toMatchObject({ address: '2001:db8::1', family: 6, isStale: false })
})

it('asks the system for names', async () => {
  expect(await createResolver().resolve('localhost')).toMatchObject({ kind: 'resolved', isStale: false })
})

it('keeps the last good answer when names cannot be looked up', async () => {
  let isUp = false
  const lookup: Lookup = (_, done) => {
    if (isUp) done(null, '192.0.2.7', 4)
    else done(Object.assign(new Error('down'), { code: 'EAI_AGAIN' }), '', 0)
  }
  const resolver = createResolver(lookup)
  expect(await resolver.resolve('p.example.com')).toEqual({
    kind: 'unresolved',
    host: 'p.example.com',
    code: 'EAI_AGAIN',
  })
  isUp = true
  expect(await resolver.resolve('p.example.com')).toMatchObject({ address: '192.0.2.7', isStale: false })
  isUp = false
  expect(await resolver.resolve('p.example.com')).toMatchObject({ address: '192.0.2.7', isStale: true })
})
