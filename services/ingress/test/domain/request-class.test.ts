import { expect, it } from 'vitest'
import { classOf } from '../../src/domain/request-class.ts'
import { request } from '../messages.ts'

it.each([
  [{ uri: 'urn:service:sos' }, 'emergency'],
  [{ uri: 'URN:service:SOS.fire' }, 'emergency'],
  [{ uri: 'urn:service:sosh' }, 'untrusted'],
  [{ uri: 'urn:service:counseling' }, 'untrusted'],
  [{ uri: 'sip:urn:service:sos@example.com' }, 'untrusted'],
  [{ headers: ['Resource-Priority: ets.0'] }, 'emergency'],
  [{ headers: ['resource-priority : esnet.1'] }, 'emergency'],
  [{}, 'untrusted'],
])('%j is %s', (parts, requestClass) => {
  expect(classOf(request(parts), false)).toBe(requestClass)
  expect(classOf(request(parts), true)).toBe(requestClass === 'untrusted' ? 'trusted' : requestClass)
})
