import { buildRequest, buildResponse, HeaderId, scan, type SipRequest, type SipResponse } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import {
  isForgotten,
  isOpen,
  startCanary,
  stepCanary,
  type CanaryCall,
  type CanaryEffect,
} from '../../src/domain/canary-call.ts'
import { canaryInvite, dialogRequest } from '../../src/domain/canary-messages.ts'

const timers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000, tryingMs: 100 }
const local = { transport: 'udp', address: '127.0.0.1', port: 4711 }
const ids = { branch: 'z9hG4bKabc', callId: 'c1', fromTag: 't1' }
const inviteBytes = buildRequest(
  canaryInvite('sip:10.0.0.11:5070;transport=udp', 'echo', 'sip:siplb@localhost', local, ids),
)

function request(bytes: Buffer): SipRequest {
  const message = scan(bytes)
  if (message.kind !== 'request') throw new Error(`not a request but ${message.kind}`)
  return message
}

function answerTo(asked: SipRequest, status: number, toTag = 'x', extra: readonly (readonly [string, string])[] = []) {
  const message = scan(buildResponse(asked, { status, toTag, extraHeaders: extra }))
  if (message.kind !== 'response') throw new Error(`not a response but ${message.kind}`)
  return message
}

/** A call by hand clock: what it sends and how it ended, from the first INVITE on. */
class Played {
  now = 1000
  call: CanaryCall
  sent: SipRequest[] = []
  endings: string[] = []

  constructor(plan: { timeoutMs?: number; ringMs?: number; isReliable?: boolean } = {}) {
    const [call, effects] = startCanary(
      request(inviteBytes),
      { timeoutMs: 500, ringMs: 0, timers, isReliable: false, ...plan },
      this.now,
    )
    this.call = call
    this.#take(effects)
  }

  /** Methods sent since the last look. */
  get methods(): string[] {
    return this.sent.splice(0).map(({ method }) => method)
  }

  hear(response: SipResponse): this {
    return this.step({ kind: 'response', response })
  }

  invited(status: number, toTag?: string, extra?: readonly (readonly [string, string])[]): this {
    return this.hear(answerTo(this.call.invite, status, toTag, extra))
  }

  /** Ticks of 100 ms. */
  pass(ms: number): this {
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + 100)
      this.step({ kind: 'tick' })
    }
    return this
  }

  /** By 200, and as long ago as a BYE waits for its ACK. */
  answered(toTag?: string, extra?: readonly (readonly [string, string])[]): this {
    return this.invited(200, toTag, extra).pass(50)
  }

  step(event: Parameters<typeof stepCanary>[1]): this {
    const [call, effects] = stepCanary(this.call, event, this.now)
    this.call = call
    this.#take(effects)
    return this
  }

  #take(effects: readonly CanaryEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.sent.push(request(effect.bytes))
      else this.endings.push(effect.ending)
    }
  }
}

const first = (requests: readonly SipRequest[], method: string): SipRequest => {
  const found = requests.find((one) => one.method === method)
  if (found === undefined) throw new Error(`no ${method} was sent`)
  return found
}

describe('an answered canary call', () => {
  it('is acknowledged at once, and hung up when the ACK has had its time', () => {
    const played = new Played().invited(100).invited(200)
    expect(played.methods).toEqual(['INVITE', 'ACK'])
    played.pass(40)
    expect(played.methods).toEqual([])
    expect(isOpen(played.call)).toBe(true)
    played.pass(10)
    expect(played.methods).toEqual(['BYE'])
    expect(isOpen(played.call)).toBe(true)
  })

  it('ends with the answer to the BYE', () => {
    const played = new Played().answered()
    const bye = first(played.sent, 'BYE')
    played.hear(answerTo(bye, 200))
    expect(played.endings).toEqual(['hung-up'])
    expect(isOpen(played.call)).toBe(false)
    expect(isForgotten(played.call, played.now + 31_949)).toBe(false)
    expect(isForgotten(played.call, played.now + 31_950)).toBe(true)
  })

  it('sends the BYE again until it is answered, and gives up after 64*T1', () => {
    const played = new Played().answered()
    expect(played.methods).toEqual(['INVITE', 'ACK', 'BYE'])
    played.pass(8000)
    // At 0.5, 1.5, 3.5, 7.5 s (RFC 3261, 17.1.2.2).
    expect(played.methods).toEqual(['BYE', 'BYE', 'BYE', 'BYE'])
    expect(played.endings).toEqual([])
    played.pass(24_100)
    expect(played.endings).toEqual(['bye-unanswered'])
    expect(isForgotten(played.call, played.now)).toBe(true)
  })

  it.each([
    [200, 'hung-up'],
    [481, 'hung-up'],
    [408, 'hung-up'],
    [407, 'bye-refused'],
    [500, 'bye-refused'],
  ])('whose BYE is answered by %i ended as %s', (status, ending) => {
    const played = new Played().answered()
    expect(played.hear(answerTo(first(played.sent, 'BYE'), status)).endings).toEqual([ending])
  })

  it('gets the same ACK again when its 2xx comes again, and no second BYE', () => {
    const played = new Played().answered()
    const ack = first(played.sent, 'ACK')
    expect(played.methods).toHaveLength(3)
    played.invited(200)
    expect(played.sent.map(({ bytes }) => bytes)).toEqual([ack.bytes])
  })

  it('stays answered, whatever another fork says after that', () => {
    const played = new Played().answered().invited(486)
    expect(played.methods).toEqual(['INVITE', 'ACK', 'BYE'])
    expect(played.endings).toEqual([])
  })

  it('of a second fork is acknowledged and hung up too', () => {
    const played = new Played().invited(200, 'x').answered('y')
    const hungUp = played.sent.filter(({ method }) => method === 'BYE')
    expect(hungUp.map(({ to }) => to.tag)).toEqual(['x', 'y'])
    expect(new Set(played.sent.map(({ topVia }) => topVia.branch)).size).toBe(5)
    for (const bye of hungUp) played.hear(answerTo(bye, 200, bye.to.tag))
    expect(played.endings).toEqual(['hung-up', 'hung-up'])
  })
})

describe('ACK and BYE of an answered call', () => {
  const routes = [
    ['Record-Route', '<sip:p2.example.com;lr>, <sip:p1.example.com;lr>'],
    ['Contact', '"Echo" <sip:echo@10.0.0.99:5080;x=y>;q=1'],
  ] as const

  it('go along the Record-Route in reverse to the Contact, by branches of their own (RFC 3261, 13.2.2.4)', () => {
    const played = new Played().answered('x', routes)
    const [invite, ack, bye] = played.sent
    for (const one of [ack, bye]) {
      expect(one?.requestUri).toBe('sip:echo@10.0.0.99:5080;x=y')
      expect(one?.values(HeaderId.Route)).toEqual(['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>'])
      expect(one).toMatchObject({ callId: 'c1', from: { tag: 't1' }, to: { tag: 'x' }, viaCount: 1 })
    }
    expect([invite, ack, bye].map((one) => one?.cseq)).toEqual([
      { number: 1, method: 'INVITE' },
      { number: 1, method: 'ACK' },
      { number: 2, method: 'BYE' },
    ])
    expect([invite, ack, bye].map((one) => one?.topVia.branch)).toEqual([
      'z9hG4bKabc',
      'z9hG4bKabc-ack1',
      'z9hG4bKabc-bye1',
    ])
  })

  it('have a strict router in the Request-URI, and the Contact at the end (RFC 3261, 12.2.1.1)', () => {
    const strict = [['Record-Route', '<sip:p2.example.com;lr>, <sip:p1.example.com>'], routes[1]] as const
    const bye = first(new Played().answered('x', strict).sent, 'BYE')
    expect(bye.requestUri).toBe('sip:p1.example.com')
    expect(bye.values(HeaderId.Route)).toEqual(['<sip:p2.example.com;lr>', '<sip:echo@10.0.0.99:5080;x=y>'])
  })

  it.each([[[]], [[['Contact', 'nonsense <']]], [[['Contact', '<tel:1>']]], [[['Record-Route', 'sip:p1']]]] as const)(
    'are sent even where the answer does not say where to: %j',
    (extra) => {
      const played = new Played().answered('x', extra)
      expect(first(played.sent, 'BYE').requestUri).toBe('sip:echo@10.0.0.11:5070;transport=udp')
    },
  )
})

describe('a ringing canary call', () => {
  it('is cancelled at once, and its 487 acknowledged along the same branch', () => {
    const played = new Played().invited(100).invited(180)
    const cancel = first(played.sent, 'CANCEL')
    expect(cancel).toMatchObject({ requestUri: played.call.invite.requestUri, topVia: { branch: 'z9hG4bKabc' } })
    played.hear(answerTo(cancel, 200)).invited(487)
    expect(played.methods).toEqual(['INVITE', 'CANCEL', 'ACK'])
    expect(played.endings).toEqual(['cancelled'])
    expect(isOpen(played.call)).toBe(false)
  })

  it('may ring for ringMs, however often it says so', () => {
    const played = new Played({ ringMs: 2000, timeoutMs: 500 }).pass(100).invited(183).pass(1000).invited(180).pass(900)
    expect(played.methods).toEqual(['INVITE'])
    expect(played.pass(100).methods).toEqual(['CANCEL'])
  })

  it('that is answered before is hung up, not cancelled', () => {
    const played = new Played({ ringMs: 2000 }).invited(180).pass(1000).invited(200).pass(400)
    expect(played.methods).toEqual(['INVITE', 'ACK', 'BYE'])
  })

  it('whose 2xx crosses the CANCEL is acknowledged and hung up', () => {
    const played = new Played().invited(180)
    const cancel = first(played.sent, 'CANCEL')
    played.invited(200).hear(answerTo(cancel, 481)).pass(50)
    expect(played.methods).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE'])
    expect(played.endings).toEqual([])
  })

  it('sends the CANCEL once where the transport is reliable', () => {
    const played = new Played({ isReliable: true }).invited(180)
    expect(played.methods).toEqual(['INVITE', 'CANCEL'])
    played.pass(20_000)
    expect(played.methods).toEqual([])
  })

  it('sends the CANCEL again until it is answered', () => {
    const played = new Played().invited(180).pass(1600)
    expect(played.methods).toEqual(['INVITE', 'CANCEL', 'CANCEL', 'CANCEL'])
    played.hear(answerTo(first([request(buildCancelOf(played))], 'CANCEL'), 200)).pass(5000)
    expect(played.methods).toEqual([])
  })

  it('that never ends is given up 64*T1 after the CANCEL (RFC 3261, 9.1)', () => {
    const played = new Played().invited(180).pass(31_900)
    expect(isOpen(played.call)).toBe(true)
    played.pass(100)
    expect(played.endings).toEqual(['never-ended'])
    expect(isForgotten(played.call, played.now)).toBe(true)
  })
})

function buildCancelOf(played: Played): Buffer {
  const [, effects] = stepCanary(
    new Played().call,
    { kind: 'response', response: answerTo(played.call.invite, 180) },
    1000,
  )
  const effect = effects[0]
  if (effect?.kind !== 'send') throw new Error('no CANCEL')
  return effect.bytes
}

describe('a canary call that is tried for too long', () => {
  it('is cancelled when the probe is over', () => {
    const played = new Played({ ringMs: 5000 }).invited(100).pass(400)
    expect(played.methods).toEqual(['INVITE'])
    expect(played.pass(100).methods).toEqual(['CANCEL'])
  })

  it('is cancelled by the first word that comes late, and not before it (RFC 3261, 9.1)', () => {
    const played = new Played({ ringMs: 5000 }).pass(20_000)
    expect(played.methods).toEqual(['INVITE'])
    expect(played.invited(180).methods).toEqual(['CANCEL'])
    expect(played.invited(487).endings).toEqual(['cancelled'])
  })

  it('is hung up when it is answered late', () => {
    expect(new Played().pass(31_000).answered().methods).toEqual(['INVITE', 'ACK', 'BYE'])
  })
})

describe('a declined canary call', () => {
  it.each([302, 404, 486, 503, 603])('is acknowledged hop by hop: %i', (status) => {
    const played = new Played().invited(100).invited(status)
    const ack = first(played.sent, 'ACK')
    expect(ack).toMatchObject({ requestUri: played.call.invite.requestUri, topVia: { branch: 'z9hG4bKabc' } })
    expect(ack.to.tag).toBe('x')
    expect(played.endings).toEqual(['declined'])
  })

  it('is acknowledged again when its answer comes again', () => {
    const played = new Played().invited(486).invited(486).pass(31_900)
    expect(played.methods).toEqual(['INVITE', 'ACK', 'ACK'])
    expect(played.endings).toEqual(['declined'])
    expect(isForgotten(played.call, played.now)).toBe(false)
    expect(isForgotten(played.call, played.now + 100)).toBe(true)
  })

  it('that is answered by another fork after that is hung up', () => {
    expect(new Played().invited(486).answered('y').methods).toEqual(['INVITE', 'ACK', 'ACK', 'BYE'])
  })
})

describe('a canary call that nobody answers', () => {
  it('is sent once, and forgotten after 64*T1', () => {
    const played = new Played().pass(31_900)
    expect(isForgotten(played.call, played.now)).toBe(false)
    played.pass(100)
    expect(played.methods).toEqual(['INVITE'])
    expect(played.endings).toEqual(['unanswered'])
    expect(isForgotten(played.call, played.now)).toBe(true)
  })

  it('is forgotten at once where the network refuses it; one that was answered is not', () => {
    const refused = new Played().step({ kind: 'refused' })
    expect(isForgotten(refused.call, refused.now)).toBe(true)
    const ringing = new Played({ ringMs: 9000 }).invited(180).step({ kind: 'refused' })
    expect(isForgotten(ringing.call, ringing.now)).toBe(false)
  })
})

it('a call that nobody wants any more is cancelled as soon as that may be', () => {
  expect(new Played({ ringMs: 9000 }).invited(180).step({ kind: 'unwanted' }).methods).toEqual(['INVITE', 'CANCEL'])
  const early = new Played({ ringMs: 9000 }).step({ kind: 'unwanted' })
  expect(early.methods).toEqual(['INVITE'])
  expect(early.invited(100).methods).toEqual(['CANCEL'])
})

describe('the INVITE', () => {
  it('calls the user at the proxy with an offer of no media (RFC 3264, 5.1)', () => {
    const invite = request(inviteBytes)
    expect(invite).toMatchObject({
      method: 'INVITE',
      requestUri: 'sip:echo@10.0.0.11:5070;transport=udp',
      to: { uri: 'sip:echo@10.0.0.11', tag: undefined },
      maxForwards: 70,
    })
    expect(invite.first(HeaderId.Contact)).toBe('<sip:siplb@127.0.0.1:4711>')
    expect(invite.bytes.toString()).toContain(
      'Via: SIP/2.0/UDP 127.0.0.1:4711;branch=z9hG4bKabc;rport;oc;oc-algo="loss"',
    )
    expect(invite.bytes.subarray(invite.bodyStart).toString()).toBe(
      'v=0\r\no=siplb 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=inactive\r\n',
    )
  })

  it.each([
    ['sip:10.0.0.11;transport=tcp', 'tcp', '<sip:siplb@127.0.0.1:4711;transport=tcp>'],
    ['sip:10.0.0.11;transport=tls', 'tls', '<sip:siplb@127.0.0.1:4711;transport=tls>'],
    ['sips:10.0.0.11', 'tls', '<sips:siplb@127.0.0.1:4711>'],
  ])('says in Via and Contact by what it goes to %s', (uri, transport, contact) => {
    const spec = canaryInvite(uri, 'echo', 'sip:siplb@localhost', { ...local, transport }, ids)
    const sent = request(buildRequest(spec))
    expect(sent.topVia.transport.toUpperCase()).toBe(transport.toUpperCase())
    expect(sent.first(HeaderId.Contact)).toBe(contact)
    const ack = dialogRequest(sent, answerTo(sent, 200), 'ACK', 'z9hG4bKack')
    expect(request(ack).topVia.transport.toUpperCase()).toBe(transport.toUpperCase())
  })

  it('knows IPv6', () => {
    const v6 = canaryInvite(
      'sip:other@[2001:db8::1]',
      'echo',
      'sip:siplb@localhost',
      { ...local, address: '::1', port: 5 },
      ids,
    )
    const text = buildRequest(v6).toString()
    expect(text).toContain('INVITE sip:echo@[2001:db8::1] SIP/2.0\r\n')
    expect(text).toContain('Contact: <sip:siplb@[::1]:5>\r\n')
    expect(text).toContain('c=IN IP6 ::1\r\n')
  })
})
