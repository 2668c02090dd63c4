import { parseListen } from '@siplb/sip/transport'
import { describe, expect, it } from 'vitest'

describe('a listening address', () => {
  it.each([
    ['udp://0.0.0.0:5060', '0.0.0.0', 5060],
    ['UDP://[::]:0', '::', 0],
    ['udp://[2001:db8::1]', '2001:db8::1', 5060],
    ['udp://127.0.0.1', '127.0.0.1', 5060],
  ])('%s', (text, address, port) => {
    expect(parseListen(text)).toEqual({ kind: 'address', transport: 'udp', address, port })
  })

  it.each([
    '',
    '0.0.0.0:5060',
    'sctp://0.0.0.0',
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
