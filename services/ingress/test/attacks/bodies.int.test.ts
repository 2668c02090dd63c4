import { describe, expect, it } from 'vitest'
import { attackScene, transports } from './attack-scene.ts'

const everyOctet = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('')

describe.concurrent.each(transports)('by %s, a body', (transport) => {
  it.each([
    { name: 'of every octet there is', body: everyOctet.repeat(4) },
    { name: 'of NULs', body: '\0'.repeat(2_000) },
    { name: 'of empty lines', body: '\r\n'.repeat(1_000) },
    { name: 'that looks like a response', body: 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n' },
    { name: 'of parts whose boundary never comes', body: '--a\r\nContent-Type: x/y\r\nContent-Length: 99\r\n\r\n--a' },
    {
      name: 'of SDP with a number beyond all bounds',
      body: `v=0\r\nm=audio ${'9'.repeat(500)} RTP/AVP 0\r\na=${'x'.repeat(2_000)}`,
    },
  ])('$name is passed on octet for octet, and so is that of the answer', async ({ body }) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ body, headers: ['Content-Type: application/octet-stream'] }))
    const asked = await s.px1.next('INVITE')
    expect(asked.body === body).toBe(true)
    s.px1.answer(asked, 488, { body })
    expect((await s.attacker.next(488)).body === body).toBe(true)
  })
})
