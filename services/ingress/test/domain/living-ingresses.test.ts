import { expect, it } from 'vitest'
import { LivingIngresses } from '../../src/domain/living-ingresses.ts'

it('counts itself, and the others while they were heard within two seconds', () => {
  const ingresses = new LivingIngresses('lb1')
  expect(ingresses.count(0)).toBe(1)
  ingresses.seen({ ingress: 'lb1' }, 0)
  ingresses.seen({ ingress: 'lb2' }, 0)
  ingresses.seen({ ingress: 'lb3' }, 1000)
  expect([ingresses.count(1999), ingresses.count(2000), ingresses.count(3000)]).toEqual([3, 2, 1])
})

it('knows where the others are reached, also when they have not been heard for a while, and as they moved', () => {
  const ingresses = new LivingIngresses('lb1')
  ingresses.seen({ ingress: 'lb2', sip: '192.0.2.2:5060' }, 0)
  ingresses.seen({ ingress: 'lb3', sip: '[2001:db8::3]:5060;transport=tcp' }, 0)
  ingresses.seen({ ingress: 'lb1', sip: '192.0.2.1:5060' }, 0)
  expect([ingresses.uriOf('lb2'), ingresses.uriOf('lb3'), ingresses.uriOf('lb1'), ingresses.uriOf('lb4')]).toEqual([
    'sip:192.0.2.2:5060',
    'sip:[2001:db8::3]:5060;transport=tcp',
    undefined,
    undefined,
  ])
  expect([ingresses.has('192.0.2.2'), ingresses.has('2001:db8::3'), ingresses.has('192.0.2.1')]).toEqual([
    true,
    true,
    false,
  ])
  ingresses.seen({ ingress: 'lb2', sip: '192.0.2.7:5060' }, 60_000)
  expect([ingresses.has('192.0.2.2'), ingresses.has('192.0.2.7')]).toEqual([false, true])
})

it('does not trust an address for ever where an instance was: an hour after it was last heard, while others are', () => {
  const ingresses = new LivingIngresses('lb1')
  ingresses.seen({ ingress: 'lb2', sip: '192.0.2.2:5060' }, 0)
  ingresses.seen({ ingress: 'lb3', sip: '192.0.2.3:5060' }, 0)
  for (let now = 0; now <= 3_700_000; now += 10_000) ingresses.seen({ ingress: 'lb3', sip: '192.0.2.3:5060' }, now)
  expect([ingresses.has('192.0.2.2'), ingresses.has('192.0.2.3')]).toEqual([false, true])
})

it("counts the workers of its own instance, and takes their address, which is its own, for nobody else's", () => {
  const ingresses = new LivingIngresses('lb1-w0', 'lb1')
  ingresses.seen({ ingress: 'lb1-w0', instance: 'lb1', sip: '192.0.2.1:5060' }, 0)
  ingresses.seen({ ingress: 'lb1-w1', instance: 'lb1', sip: '192.0.2.1:5060' }, 0)
  expect([ingresses.count(0), ingresses.uriOf('lb1'), ingresses.has('192.0.2.1')]).toEqual([2, undefined, false])
})

it('reaches another instance through any of its workers', () => {
  const ingresses = new LivingIngresses('lb1')
  for (const ingress of ['lb2-w0', 'lb2-w1']) ingresses.seen({ ingress, instance: 'lb2', sip: '192.0.2.2:5060' }, 0)
  expect([ingresses.count(0), ingresses.uriOf('lb2'), ingresses.has('192.0.2.2')]).toEqual([
    3,
    'sip:192.0.2.2:5060',
    true,
  ])
})
