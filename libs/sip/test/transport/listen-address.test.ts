import { parseListen } from '@siplb/sip/transport'
import { describe, expect, it } from 'vitest'

describe('a listening address', () => {
  it.each([
    ['udp://0.0.0.0:5060', 'udp', '0.0.0.0', 5060],
    ['UDP://[::]:0', 'udp', '::', 0],
    ['udp://[2001:db8::1]', 'udp', '2001:db8::1', 5060],
    ['udp://127.0.0.1', 'udp', '127.0.0.1', 5060],
    ['tcp://127.0.0.1', 'tcp', '127.0.0.1', 5060],
    ['tls://[::1]', 'tls', '::1', 5061],
    ['ws://127.0.0.1', 'ws', '127.0.0.1', 80],
    ['wss://127.0.0.1', 'wss', '127.0.0.1', 443],
    ['wss://127.0.0.1:8443', 'wss', '127.0.0.1', 8443],
  ])('%s', (text, transport, address, port) => {
    expect(parseListen(text)).toEqual({ kind: 'address', transport, address, port })
  })

  it.each([
    '',
    '0.0.0.0:5060',
    'sctp://0.0.0.0',
    'constructor://0.0.0.0',
    'udp://localhost:5060',
    'udp://::1:5060',
    'udp://[127.0.0.1]:1',
    'udp://0.0.0.0:',
    'udp://0.0.0.0:70000',
    'udp://0.0.0.0:1e3',
  ])('%j is refused with a sentence', (text) => {
    expect(parseListen(text)).toEqual({ kind: 'problem', problem: expect.stringContaining('as in udp://0.0.0.0:5060') })
  })
})
