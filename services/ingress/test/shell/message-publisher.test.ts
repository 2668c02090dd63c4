import type { EventBatch } from '@siplb/bus'
import { sipReceived, type SipMessage } from '@siplb/contracts'
import { scan, type SipRequest, type SipResponse } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvents } from '../../../../libs/bus/src/codec.ts'
import { WrittenEvents } from '../../../../libs/bus/src/written-events.ts'
import { MessagePublisher, type MessagePublisherOptions } from '../../src/shell/message-publisher.ts'

const phone: Endpoint = { transport: 'udp', address: '192.0.2.1', port: 5070 }
const latin1 = fc.integer({ min: 0x21, max: 0xff }).map((octet) => String.fromCharCode(octet))
const px1 = { pool: 'default', proxy: 'px1' }

interface Parts {
  readonly requestUri?: string
  readonly callId?: string
  readonly from?: string
  readonly to?: string
  readonly method?: string
}

const headers = ({ callId = 'c1', from = '<sip:a@x>', to = '<sip:b@x>', method = 'INVITE' }: Parts) => [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  ...[`From: ${from};tag=1`, `To: ${to}`, `Call-ID: ${callId}`, `CSeq: 1 ${method}`, '', ''],
]

function scanned(lines: readonly string[]): SipRequest | SipResponse | undefined {
  const message = scan(Buffer.from(lines.join('\r\n'), 'latin1'))
  return message.kind === 'request' || message.kind === 'response' ? message : undefined
}

function given(message: SipRequest | SipResponse | undefined): SipRequest | SipResponse {
  if (message === undefined) throw new Error('not scanned')
  return message
}

const request = (parts: Parts = {}) =>
  given(scanned([`${parts.method ?? 'INVITE'} ${parts.requestUri ?? 'sip:b@x'} SIP/2.0`, ...headers(parts)]))
const response = (status = 200, parts: Parts = {}) => given(scanned([`SIP/2.0 ${status} So`, ...headers(parts)]))

/** A publisher, and what anybody hears of it: whatever does not fit the contract is missing there. */
function publishing(settings: MessagePublisherOptions['settings'] = { publish: 'messages', publishBytes: false }) {
  const heard: SipMessage[] = []
  const counts = { dropped: 0, unheard: 0 }
  const bus = { now: 0, isThere: true, isConnected: true }
  const asks: ((isHeard: boolean) => void)[] = []
  const send = (batches: readonly Uint8Array[]) => {
    for (const batch of batches) heard.push(...decodeEvents(sipReceived, batch).events.map(({ data }) => data))
    return true
  }
  const audience = {
    get isThere() {
      return bus.isThere
    },
    async ask(batches: readonly Uint8Array[]) {
      send(batches)
      bus.isThere = await new Promise<boolean>((resolve) => void asks.push(resolve))
      return bus.isThere
    },
  }
  const batch = (): EventBatch =>
    new WrittenEvents(sipReceived, { source: '/siplb/ingress/lb1', nextId: () => '1', send, audience })
  const publisher = new MessagePublisher({
    bus: { batch, isConnected: () => bus.isConnected },
    ...{ settings, now: () => bus.now },
    onDropped: () => void (counts.dropped += 1),
    onUnheard: (count) => void (counts.unheard += count),
  })
  return { publisher, heard, counts, bus, asks, calls: () => heard.map(({ callId }) => callId) }
}

it('tells what a message says, all of which fits the contract', async () => {
  const { publisher, heard } = publishing()
  publisher.received(request({ requestUri: 'sip:b@x;y=%22', callId: 'c"1\\' }), phone)
  publisher.received(response(486), { transport: 'tls', address: '2001:db8::1', port: 5061 }, px1)
  await publisher.flush()
  await publisher.flush()
  const common = { method: 'INVITE', from: 'sip:a@x', to: 'sip:b@x' }
  expect(heard).toEqual([
    {
      ...{ ...common, kind: 'request', callId: 'c"1\\', requestUri: 'sip:b@x;y=%22' },
      ...{ source: '192.0.2.1:5070', transport: 'udp' },
    },
    {
      ...{ ...common, kind: 'response', status: 486, callId: 'c1', ...px1 },
      ...{ source: '[2001:db8::1]:5061', transport: 'tls' },
    },
  ])
})

it('tells any text as it came, one character for each octet', async () => {
  const { publisher, heard } = publishing()
  const octets = fc.string({ unit: fc.oneof(fc.constantFrom('"', '\\', '\x7f', '\xff', '\xc3', "'", '%'), latin1) })
  const told: object[] = []
  let scannedOnes = 0
  fc.assert(
    fc.property(octets, octets, octets, octets, fc.boolean(), (a, b, c, d, isRequest) => {
      const parts = { callId: `c${a}`, from: `<sip:a${b}@x>`, to: `<sip:b${c}@x>` }
      const first = isRequest ? `INVITE sip:c${d}@x SIP/2.0` : 'SIP/2.0 200 OK'
      const message = scanned([first, ...headers(parts)])
      if (message === undefined) return
      scannedOnes += 1
      publisher.received(message, phone)
      told.push({
        ...{ kind: message.kind, method: 'INVITE', callId: message.callId, source: '192.0.2.1:5070', transport: 'udp' },
        ...(message.kind === 'request' ? { requestUri: message.requestUri } : { status: 200 }),
        ...{ from: message.from.uri, to: message.to.uri },
      })
    }),
    // Of ten texts nearly nine break the grammar.
    { numRuns: 4000 },
  )
  await publisher.flush()
  expect(heard).toEqual(told)
  expect(scannedOnes).toBeGreaterThan(100)
})

it('cuts what is longer than an event may hold', async () => {
  const { publisher, heard } = publishing()
  // Longer than a message may be in one header line, so made by hand.
  const long = 'x'.repeat(5000)
  const message = request()
  const bytes = Buffer.from(`sip:${long}@x`)
  const uri = { bytes, uri: bytes.toString(), uriStart: 0, uriEnd: bytes.length }
  const cseq = { ...message.cseq, method: 'M'.repeat(100) }
  const changed = { kind: 'request', bytes, requestUri: long, callId: long, from: uri, to: uri, cseq }
  publisher.received(changed as never, phone)
  await publisher.flush()
  const cut = (text: string) => text.slice(0, 4096)
  expect(heard).toEqual([
    {
      ...{ kind: 'request', method: 'M'.repeat(64), requestUri: cut(long), callId: cut(long) },
      ...{ from: cut(uri.uri), to: cut(uri.uri), source: '192.0.2.1:5070', transport: 'udp' },
    },
  ])
})

it('tells the octets where the operator wants them', async () => {
  const { publisher, heard } = publishing({ publish: 'messages', publishBytes: true })
  const message = request()
  publisher.received(message, phone)
  await publisher.flush()
  expect(Buffer.from(heard[0]?.bytes ?? '', 'base64')).toEqual(message.bytes)
})

it.each([
  { publish: 'messages' as const, told: ['request', 'response'] },
  { publish: 'requests' as const, told: ['request'] },
  { publish: 'none' as const, told: [] },
])('tells what the operator wants told: $publish', async ({ publish, told }) => {
  const { publisher, heard } = publishing({ publish, publishBytes: false })
  publisher.received(request(), phone)
  publisher.received(response(), phone, px1)
  await publisher.flush()
  expect(heard.map(({ kind }) => kind)).toEqual(told)
})

it('leaves out and counts what is too much for one tick', async () => {
  const { publisher, heard, counts } = publishing()
  const message = request()
  for (let i = 0; i < 10_003; i++) publisher.received(message, phone)
  await publisher.flush()
  expect([heard.length, counts.dropped]).toEqual([10_000, 3])
  publisher.received(message, phone)
  await publisher.flush()
  expect([heard.length, counts.dropped]).toEqual([10_001, 3])
})

describe('while nobody listens', () => {
  /** `c1` asks, and what came before it is answered for is told with it or not at all. */
  async function unheard() {
    const s = publishing()
    s.bus.isThere = false
    const receive = (callId: string) => s.publisher.received(request({ callId }), phone)
    for (const callId of ['c1', 'c2', 'c3']) receive(callId)
    const flushed = s.publisher.flush()
    receive('c4')
    return { ...s, receive, flushed, answer: (isHeard: boolean) => (s.asks.shift()?.(isHeard), flushed) }
  }

  it('one message asks who does, and what was kept before it was asked is told to nobody', async () => {
    const s = await unheard()
    expect(s.calls()).toEqual(['c1'])
    await s.answer(false)
    s.bus.now = 99
    await s.publisher.flush()
    expect([s.calls(), s.asks, s.counts.unheard]).toEqual([['c1'], [], 3])
  })

  it('what came while it was asked is kept until it is asked again', async () => {
    const s = await unheard()
    await s.answer(false)
    s.bus.now = 100
    s.receive('c5')
    const flushed = s.publisher.flush()
    s.asks.shift()?.(true)
    await flushed
    expect([s.calls(), s.counts.unheard]).toEqual([['c1', 'c4', 'c5'], 3])
  })

  it('all that is kept is told, in its order, as soon as somebody does, and then each at its tick', async () => {
    const s = await unheard()
    await s.answer(true)
    expect(s.calls()).toEqual(['c1', 'c2', 'c3', 'c4'])
    s.receive('c5')
    await s.publisher.flush()
    expect([s.calls().at(-1), s.asks, s.counts.unheard]).toEqual(['c5', [], 0])
  })

  it('what was kept says the same as it would have at once', async () => {
    const [s, at] = [
      publishing({ publish: 'messages', publishBytes: true }),
      publishing({ publish: 'messages', publishBytes: true }),
    ]
    s.bus.isThere = false
    for (const { publisher } of [s, at]) {
      publisher.received(request({ callId: 'c\xe9' }), phone)
      publisher.received(response(486), { transport: 'wss', address: '2001:db8::1', port: 5061 }, px1)
      publisher.stop()
    }
    await at.publisher.flush()
    expect(s.heard).toHaveLength(2)
    expect(s.heard).toEqual(at.heard)
  })

  it('no more is kept than may wait, and what is kept when the connection goes is forgotten', async () => {
    const s = publishing()
    s.bus.isThere = false
    const message = request()
    for (let i = 0; i < 10_003; i++) s.publisher.received(message, phone)
    Object.assign(s.bus, { isThere: true, isConnected: false })
    await s.publisher.flush()
    expect([s.heard, s.counts]).toEqual([[], { dropped: 3, unheard: 10_000 }])
  })

  it('what is kept at the end is told', async () => {
    const s = await unheard()
    s.publisher.stop()
    await s.answer(false)
    expect([s.calls(), s.counts.unheard]).toEqual([['c1', 'c2', 'c3', 'c4'], 1])
  })
})
