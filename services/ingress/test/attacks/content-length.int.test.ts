import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { attackScene, transports, withLengths } from './attack-scene.ts'

describe.concurrent.each(transports)('a Content-Length by %s', (transport) => {
  it.each([
    { name: 'wraps at 32 bits', lines: ['Content-Length: 4294967300'] },
    { name: 'wraps at 64 bits', lines: ['Content-Length: 18446744073709551620'] },
    { name: 'has three hundred digits', lines: [`Content-Length: ${'9'.repeat(300)}`] },
    { name: 'is negative', lines: ['Content-Length: -1'] },
    { name: 'has a sign', lines: ['Content-Length: +4'] },
    { name: 'is hexadecimal', lines: ['Content-Length: 0x4'] },
    { name: 'is a list', lines: ['Content-Length: 4, 4'] },
    { name: 'is two numbers', lines: ['Content-Length: 4 4'] },
    { name: 'is empty', lines: ['Content-Length:'] },
    { name: 'stands there twice', lines: ['Content-Length: 4', 'Content-Length: 4'] },
    { name: 'differs from a second one', lines: ['Content-Length: 4', 'Content-Length: 0'] },
    { name: 'differs from its short form', lines: ['Content-Length: 4', 'l: 0'] },
    { name: 'differs from one with a space before the colon', lines: ['Content-Length: 4', 'content-length : 0'] },
    { name: 'would have memory taken for it', lines: ['Content-Length: 2147483647'] },
  ])('that $name is refused, and nobody else sees it', async ({ lines }) => {
    await using s = await attackScene(transport)
    s.attacker.send(withLengths(s.invite({ body: 'abcd' }), ...lines))
    await s.attacker.next(400)
    if (transport === 'TCP') await waitFor(() => s.attacker.isEnded, 4000, 'the end of the connection')
    await s.expectAlive()
    s.expectNoneForwarded()
  })

  it('that names more than came has nothing forwarded', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(withLengths(s.invite({ body: 'abcd' }), 'Content-Length: 5'))
    // By a stream the rest may still come.
    if (transport === 'UDP') await s.attacker.next(400)
    await s.expectAlive()
    s.expectNoneForwarded()
  })

  it('covers a request in the body, which stays a body', async () => {
    await using s = await attackScene(transport)
    const inner = s.invite({ method: 'BYE' }).toString('latin1')
    s.attacker.send(s.invite({ body: inner }))
    expect((await s.px1.next('INVITE')).body).toBe(inner)
    await s.expectAlive()
    expect(s.px1.count('BYE')).toBe(0)
  })

  it('ends a message: what follows is no part of it', async () => {
    await using s = await attackScene(transport)
    const next = s.invite({ method: 'MESSAGE' })
    s.attacker.send(Buffer.concat([s.invite(), next]))
    expect((await s.px1.next('INVITE')).body).toBe('')
    // A datagram is one message (RFC 3261, 18.3), a stream may have the next one.
    if (transport === 'TCP') await s.px1.next('MESSAGE')
    await s.expectAlive()
    expect(s.px1.count('MESSAGE')).toBe(transport === 'TCP' ? 1 : 0)
  })
})
