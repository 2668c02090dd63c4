import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestBytes } from './messages.ts'
import { responseText } from './peer.ts'
import { token } from './phone.ts'
import { scene, type Scene } from './scene.ts'

async function expectAlive(s: Scene): Promise<void> {
  const { callId } = s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
  for (;;) if ((await s.phone.next(200)).one('Call-ID') === callId) return
}

/** Everything that came in, as the counters have it. */
async function counted(s: Scene): Promise<number> {
  const names = ['siplb_sip_requests_total', 'siplb_sip_responses_total', 'siplb_sip_malformed_total']
  const counts = await Promise.all([...names, 'siplb_sip_retransmissions_total'].map((name) => s.lb.metric(name)))
  // Line breaks alone may be what is left of a message.
  counts.push(await s.lb.metric('siplb_sip_dropped_total', { reason: 'keep-alive' }))
  return counts.reduce((sum, count) => sum + count, 0)
}

const octets = (text: string) => Buffer.from(text, 'latin1')

describe.concurrent('a broken message', () => {
  it('of the collections in RFC 4475 and RFC 5118 hurts nobody, and each is counted', async () => {
    await using s = await scene()
    const folder = new URL('../../../libs/sip/test/data/', import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.dat'))
    expect(files.length).toBeGreaterThan(40)
    for (const file of files) s.phone.peer.send(readFileSync(new URL(file, folder)), s.lb.place)
    await expectAlive(s)
    expect(await counted(s)).toBe(files.length + 1)
  })

  it('has no answer where there is no way back, and none at all to an ACK', async () => {
    await using s = await scene()
    s.phone.peer.send('INVITE sip:bob@example.com SIP/2.0\r\nTo: x\r\n\r\n', s.lb.place)
    s.phone.ask({ method: 'ACK', maxForwards: 'many' })
    s.phone.peer.send('hello\r\n\r\n', s.lb.place)
    await expectAlive(s)
    expect(s.phone.peer.heard).toHaveLength(1)
    expect(await s.lb.metric('siplb_sip_malformed_total', { answered: 'false' })).toBe(3)
  })

  it('cut off or changed at any place kills nothing, and each is counted', async () => {
    await using s = await scene()
    const whole = () =>
      requestBytes({ via: s.phone.via(), callId: token(), headers: ['Route: <sip:x;lr>'], body: 'v=0' })
    const change = fc.record({ at: fc.nat(400), octet: fc.nat(255), cut: fc.boolean() })
    let sent = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let bytes = whole()
        for (const { at, octet, cut } of changes) {
          if (cut) bytes = bytes.subarray(0, Math.max(1, at))
          else if (at < bytes.length) bytes[at] = octet
        }
        s.phone.peer.send(bytes, s.lb.place)
        sent += 1
        // What is answered is read meanwhile, or it would fill the socket, and what is asked for last be lost.
        await turn()
      }),
      { numRuns: 500 },
    )
    await expectAlive(s)
    await sleep(100)
    expect(await counted(s)).toBe(sent + 1)
  })

  it('from a proxy kills no call', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const good = octets(responseText(asked, 180))
    for (let i = 1; i < good.length; i += 3) {
      s.px1.send(good.subarray(0, i), asked.source)
      const changed = Buffer.from(good)
      changed[i] = 0
      s.px1.send(changed, asked.source)
    }
    s.px1.answer(asked, 200)
    await s.phone.next(200)
  })
})
