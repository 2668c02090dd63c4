import { describe, expect, it } from 'vitest'
import { AnsweredPage, AnsweredRequest } from '../../src/shell/answered-request.ts'
import { LatePage, type Asked } from '../../src/shell/late-responses.ts'
import type { Link } from '../../src/shell/link.ts'
import { Waiters } from '../../src/shell/waiters.ts'

describe('an answered request', () => {
  const sent: string[] = []
  const back = { send: (bytes: Buffer) => void sent.push(String(bytes)) }

  const keep = (page: AnsweredPage, response: string, copies = 0): AnsweredRequest => {
    page.add('key', Buffer.from(response), 7, -1, 0)
    page.backs[page.last] = back
    page.copies[page.last] = copies
    return new AnsweredRequest(page, page.last)
  }

  it('answers its copies, 32 of them with those that came before', () => {
    sent.length = 0
    const request = keep(new AnsweredPage(1000), 'the answer', 30)
    const known = Array.from({ length: 300 }, () => request.requestCameAgain())
    expect(known.filter(Boolean).length).toBe(2)
    expect(sent).toEqual(['the answer', 'the answer'])
  })

  it('absorbs them where there is nothing to say', () => {
    sent.length = 0
    expect(keep(new AnsweredPage(1000), '').requestCameAgain()).toBe(true)
    expect(sent).toEqual([])
  })

  it('knows that it was acknowledged, and the next one in its place does not', () => {
    const page = new AnsweredPage(1000)
    const request = keep(page, '')
    expect([request.isAcknowledged, request.ack(), request.isAcknowledged]).toEqual([false, true, true])
    page.release(0)
    page.clear()
    expect([page.backs[0], keep(page, '').isAcknowledged]).toEqual([undefined, false])
  })

  it('gives octets away that stay as they are when its place is used again', () => {
    const given: Buffer[] = []
    const page = new AnsweredPage(1000)
    page.add('key', Buffer.from('the answer'), 7, -1, 0)
    page.backs[0] = { send: (bytes) => void given.push(bytes) }
    new AnsweredRequest(page, 0).requestCameAgain()
    page.clear()
    keep(page, 'another one')
    expect(given.map(String)).toEqual(['the answer'])
  })
})

describe('a branch at rest', () => {
  const link: Link = {
    endpoint: { transport: 'udp', address: '192.0.2.1', port: 5060 },
    ...{ isGone: false, pending: new Waiters(), unconfirmed: new Map(), send: () => {} },
  }
  const asked: Asked = {
    method: 'INVITE',
    back: { send: () => {} },
    isReliable: true,
    target: { kind: 'proxy', pool: 'default', proxy: 'px1', uri: 'sip:192.0.2.1' },
    token: undefined,
    takenBy: ['a'],
  }

  it('is told as it was, with all who took the call since', () => {
    const page = new LatePage(1000)
    page.put(0, link, asked)
    expect(page.askedOf(0)).toEqual(asked)
    page.taken(0, ['a', 'b', 'c'])
    expect(page.askedOf(0)?.takenBy).toEqual(['a', 'b', 'c'])
    expect(page.linkOf(0)).toBe(link)
  })

  it('of an INVITE alone has somebody who waits', () => {
    const page = new LatePage(1000)
    page.put(0, link, { ...asked, method: 'BYE' })
    expect([page.askedOf(0), page.linkOf(0)]).toEqual([undefined, link])
  })

  it('leaves nothing behind for the next one in its place', () => {
    const page = new LatePage(1000)
    page.put(0, link, { ...asked, takenBy: ['a', 'b'] })
    page.release(0)
    expect([page.askedOf(0), page.linkOf(0)]).toEqual([undefined, undefined])
    page.put(0, link, { ...asked, isReliable: false, takenBy: [] })
    expect(page.askedOf(0)).toMatchObject({ isReliable: false, takenBy: [] })
  })
})
