import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Arrival } from '../../src/shell/arrival.ts'
import { ClientTransaction, type ClientHooks } from '../../src/shell/client-transaction.ts'
import type { Link } from '../../src/shell/link.ts'
import { ServerTransaction, type ServerHooks } from '../../src/shell/server-transaction.ts'
import { TimerWheel } from '../../src/shell/timer-wheel.ts'
import { Waiters } from '../../src/shell/waiters.ts'
import { request, requestBytes, response } from '../messages.ts'

const endpoint = { transport: 'udp', address: '192.0.2.1', port: 5070 } as const
let now = 1000
let said: string[] = []
const wheel = new TimerWheel(
  () => now,
  (error) => said.push(String(error)),
)
afterEach(() => {
  wheel.stop()
  said = []
})

const startOf = (bytes: Buffer): string => bytes.toString().split('\r\n', 1)[0] ?? ''
const send = (bytes: Buffer): void => void said.push(startOf(bytes))

/** Lets time pass, and the wheel notice. */
async function pass(ms: number): Promise<void> {
  now += ms
  await sleep(25)
}

/** What was said since the last look, and how many timers run. */
const row = (): (string | number)[] => [...said.splice(0), wheel.size]

const link: Link = { endpoint, isGone: false, pending: new Waiters(), unconfirmed: new Map(), send }
const clientHooks: ClientHooks = {
  response: (_, { status }) => void said.push(`heard ${status}`),
  timeout: () => void said.push('timeout'),
  ended: () => void said.push('ended'),
}

function client(method: string, hooks: ClientHooks = clientHooks): ClientTransaction {
  const asked = { branchId: 'z9hG4bK1', method, bytes: requestBytes({ method }), link, sentAt: now }
  return new ClientTransaction(asked, wheel, hooks)
}

function server(method: string, rests: ServerHooks['rests'] = () => false): ServerTransaction {
  const own = { addresses: { isOurs: () => false }, tokens: { read: () => undefined } }
  const flow = { ...endpoint, isReliable: false, isOpen: true, local: endpoint, remote: endpoint, send }
  const arrival = new Arrival(request({ method }), flow, own, { send })
  return new ServerTransaction(arrival, wheel, { accepted: () => {}, rests, ended: () => void said.push('ended') })
}

describe('a request on its way to a proxy', () => {
  const invite = 'INVITE sip:bob@example.com SIP/2.0'

  it('is sent again until it is answered, and then needs no timer', async () => {
    const tx = client('INVITE')
    expect(row()).toEqual([invite, 2])
    await pass(520)
    await pass(1020)
    expect([row(), tx.isRetransmitted, tx.isWaiting]).toEqual([[invite, invite, 2], true, true])
    tx.handle(response(180))
    expect(row()).toEqual(['heard 180', 0])
  })

  it('that nobody answers ends, and leaves no timer', async () => {
    const tx = client('BYE')
    await pass(32_020)
    expect(row()).toEqual(['BYE sip:bob@example.com SIP/2.0', 'BYE sip:bob@example.com SIP/2.0', 'timeout', 'ended', 0])
    expect(tx.isWaiting).toBe(false)
  })

  it('may be given up, and leaves no timer', () => {
    client('INVITE').abandon()
    expect(row()).toEqual([invite, 'ended', 0])
  })

  it('waits for late answers itself where nobody else does', async () => {
    client('INVITE').handle(response(200))
    expect(row()).toEqual([invite, 'heard 200', 1])
    await pass(32_020)
    expect(row()).toEqual(['ended', 0])
    const rested: number[] = []
    client('BYE', { ...clientHooks, rest: (_, ms) => rested.push(ms) > 0 }).handle(response(200, { method: 'BYE' }))
    expect([rested, wheel.size]).toEqual([[5000], 0])
  })
})

describe('a request of a caller', () => {
  it('gets a 100 when it is due, and its copies get it again', async () => {
    const tx = server('INVITE')
    expect(row()).toEqual([1])
    await pass(120)
    tx.requestCameAgain()
    expect(row()).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 100 Trying', 0])
  })

  it('that is refused has its refusal sent again until the ACK comes', async () => {
    const tx = server('INVITE')
    tx.answer(486)
    await pass(520)
    expect(row()).toEqual(['SIP/2.0 486 Busy Here', 'SIP/2.0 486 Busy Here', 2])
    expect([tx.ack(), row()]).toEqual([false, [1]])
    await pass(5020)
    expect(row()).toEqual(['ended', 0])
  })

  it('that is refused and never acknowledged ends, and leaves no timer', async () => {
    server('INVITE').answer(486)
    await pass(32_020)
    expect(row()).toEqual(['SIP/2.0 486 Busy Here', 'SIP/2.0 486 Busy Here', 'ended', 0])
  })

  it('is handed over with its answer when only copies are waited for', () => {
    const rested: unknown[] = []
    const rests: ServerHooks['rests'] = (_, bytes, ms) => rested.push([startOf(bytes), ms]) > 0
    server('BYE', rests).answer(200)
    server('INVITE', rests).answer(200)
    expect(rested).toEqual([
      ['SIP/2.0 200 OK', 32_000],
      ['', 32_000],
    ])
    expect(row()).toEqual(['SIP/2.0 200 OK', 'SIP/2.0 200 OK', 0])
  })

  it('that is accepted passes its ACK on, and ends by itself where nobody waits for copies', async () => {
    const tx = server('INVITE')
    tx.answer(200)
    expect([tx.ack(), row()]).toEqual([true, ['SIP/2.0 200 OK', 1]])
    await pass(32_020)
    expect(row()).toEqual(['ended', 0])
  })
})
