import { describe, expect, it } from 'vitest'
import { targetOf } from '../src/request-uri.ts'

describe('the target of a Request-URI', () => {
  it.each([
    ['sip:alice@example.com', 'alice', 'example.com'],
    ['SIPS:Alice@EXAMPLE.com:5061;transport=tls?subject=x', 'Alice', 'example.com'],
    ['sip:example.com', '', 'example.com'],
    ['sip:example.com;user=phone', '', 'example.com'],
    ['sip:alice:secret@example.com', 'alice', 'example.com'],
    ['sip:+49123;phone-context=x@example.com', '+49123;phone-context=x', 'example.com'],
    ['sip:%2b49%31@example.com', '+491', 'example.com'],
    ['sip:100%@example.com', '100%', 'example.com'],
    ['sip:alice@[2001:DB8::1]:5060', 'alice', '2001:db8::1'],
    ['sip:alice@[2001:db8::1', 'alice', '2001:db8::1'],
    ['tel:+49123;phone-context=example.com', '+49123', ''],
    ['urn:service:sos', '', ''],
    ['alice', '', ''],
    ['', '', ''],
  ])('%s has user "%s" and host "%s"', (uri, user, host) => {
    expect(targetOf(uri)).toEqual({ user, host })
  })
})
