import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../src/domain/event-socket.ts'
import { readHeartbeat, readStatus } from '../../src/domain/freeswitch-answer.ts'

const status = `UP 0 years, 0 days, 2 hours, 30 minutes, 15 seconds, 123 milliseconds, 456 microseconds
FreeSWITCH (Version 1.10.7 -release 64bit) is ready
5 session(s) since startup
3 session(s) - peak 8, last 5min 2
1 session(s) per Sec out of max 30, peak 2, last 5min 1
1000 session(s) max
min idle cpu 0.00/75.00
Current Stack Size/Max 240K/8192K
`

describe('the load of a FreeSWITCH', () => {
  it('is read from its status: sessions, their maximum, the processor', () => {
    expect(readStatus(status)).toEqual({
      kind: 'report',
      report: { kind: 'active', active: 3, capacity: 1000, atLeast: 0.25, details: { active: 3, 'cpu-busy': 0.25 } },
    })
  })

  it('is read without what older ones leave out', () => {
    expect(readStatus('7 session(s) - peak 8\n')).toEqual({
      kind: 'report',
      report: { kind: 'active', active: 7, capacity: undefined, details: { active: 7 } },
    })
  })

  it.each(['', '-ERR no such command', 'many session(s) - peak 8', '-1 session(s) - peak 8'])(
    'is not in %j',
    (text) => {
      expect(readStatus(text)).toMatchObject({ kind: 'unusable' })
    },
  )

  it('is read from a heartbeat', () => {
    const beat =
      'Event-Name: HEARTBEAT\nEvent-Info: System%20Ready\nSession-Count: 250\nMax-Sessions: 500\nIdle-CPU: 98.7\n'
    expect(readHeartbeat(beat)).toMatchObject({ report: { active: 250, capacity: 500 } })
    expect(readHeartbeat(beat.replace('HEARTBEAT', 'RE_SCHEDULE'))).toBeUndefined()
    expect(readHeartbeat('Event-Name: HEARTBEAT\n')).toMatchObject({ kind: 'unusable' })
  })
})

describe('frames of an event socket', () => {
  const stream =
    'Content-Type: auth/request\n\n' +
    'Content-Type: command/reply\nReply-Text: +OK accepted\n\n' +
    'Content-Length: 8\nContent-Type: api/response\n\na\n\nb: ü' +
    'Content-Type: text/event-plain\nContent-Length: 2\n\nx:'

  it.each([1, 2, 7, 1000])('are the same in pieces of %d octets', (size) => {
    const reader = new FrameReader()
    const bytes = Buffer.from(stream)
    const frames = []
    for (let at = 0; at < bytes.length; at += size) {
      const more = reader.push(bytes.subarray(at, at + size))
      if (more === 'malformed') throw new Error('malformed')
      frames.push(...more)
    }
    expect(frames).toEqual([
      { type: 'auth/request', replyText: '', body: '' },
      { type: 'command/reply', replyText: '+OK accepted', body: '' },
      { type: 'api/response', replyText: '', body: 'a\n\nb: ü' },
      { type: 'text/event-plain', replyText: '', body: 'x:' },
    ])
  })

  it.each([
    ['headers without an end', 'x'.repeat(70_000)],
    ['a length that is none', 'Content-Length: many\n\n'],
    ['a negative length', 'Content-Length: -1\n\n'],
    ['a body over 64 KB', 'Content-Length: 65537\n\n'],
  ])('with %s are malformed', (_, text) => {
    expect(new FrameReader().push(Buffer.from(text))).toBe('malformed')
  })
})
