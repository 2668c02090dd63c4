import { describe, expect, it } from 'vitest'
import { attackScene, transports } from './attack-scene.ts'

describe.concurrent.each(transports)('line ends by %s', (transport) => {
  it.each([
    { name: 'LF alone', change: (text: string) => text.replaceAll('\r\n', '\n') },
    { name: 'CR alone', change: (text: string) => text.replaceAll('\r\n', '\r') },
    { name: 'LF and CR the wrong way round', change: (text: string) => text.replaceAll('\r\n', '\n\r') },
    { name: 'LF alone behind the start line', change: (text: string) => text.replace('\r\n', '\n') },
    {
      name: 'a bare LF in a value',
      change: (text: string) => text.replace('Max-Forwards', 'Subject: a\nl: 9\r\nMax-Forwards'),
    },
    {
      name: 'a bare CR in a value',
      change: (text: string) => text.replace('Max-Forwards', 'Subject: a\rl: 9\r\nMax-Forwards'),
    },
    { name: 'a fold of the start line', change: (text: string) => text.replace('\r\n', '\r\n ') },
    { name: 'a NUL before a line end', change: (text: string) => text.replace(' SIP/2.0\r\n', ' SIP/2.0\0\r\n') },
    { name: 'a line without a name', change: (text: string) => text.replace('Max-Forwards', ': 1\r\nMax-Forwards') },
    {
      name: 'a line without a colon',
      change: (text: string) => text.replace('Max-Forwards', 'GET / HTTP/1.1\r\nMax-Forwards'),
    },
  ])('that are $name have nothing forwarded', async ({ change }) => {
    await using s = await attackScene(transport)
    s.attacker.send(Buffer.from(change(s.invite({ body: 'v=0' }).toString('latin1')), 'latin1'))
    await s.expectAlive()
    s.expectNoneForwarded()
    // By a stream, what has no end may still get one.
    if (transport === 'UDP') expect(await s.lb.metric('siplb_sip_malformed_total')).toBe(1)
  })

  it('that fold a value are kept', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ headers: ['Subject: a\r\n b\r\n\tc'] }))
    expect((await s.px1.next('INVITE')).bytes.includes('\r\nSubject: a\r\n b\r\n\tc\r\n')).toBe(true)
  })
})
