import { freePort } from '@siplb/testkit'
import type { DnsPacket } from 'dns-packet'
import { expect, it } from 'vitest'
import type { Question } from '../../src/locating/records.ts'
import { askServers } from '../../src/transport/dns-client.ts'
import { replyTo, startOddNameServer, withLength } from './odd-name-server.ts'

const question: Question = { name: 'px1.example.com', type: 'A' }
const answers = [{ name: 'px1.example.com', type: 'A', ttl: 60, data: '192.0.2.1' }]
const good = { kind: 'records', records: [{ type: 'address', address: '192.0.2.1' }], ttlMs: 60_000 }
const forged = { answers: [{ ...answers[0], name: 'px1.example.com', type: 'A', data: '203.0.113.9' }] }
const TRUNCATED = 0x0200
const SERVFAIL = 2

const answer = (asked: DnsPacket): Buffer => replyTo(asked, { answers })

it('waits for the reply that fits: neither garbage nor a forgery ends the wait', async () => {
  await using odd = await startOddNameServer((asked) => [
    Buffer.from('no DNS at all'),
    Buffer.alloc(0),
    replyTo({ ...asked, id: ((asked.id ?? 0) + 1) % 0x1_0000 }, forged),
    replyTo({ ...asked, questions: [{ name: 'px2.example.com', type: 'A' }] }, forged),
    answer(asked),
  ])
  expect(await askServers(question, [odd.server])).toEqual(good)
})

it('fetches by TCP what a datagram cannot hold, in whatever pieces it comes', async () => {
  await using odd = await startOddNameServer(
    (asked) => [replyTo(asked, { flags: TRUNCATED })],
    (asked) => {
      const octets = withLength(answer(asked))
      return [octets.subarray(0, 1), octets.subarray(1, 9), octets.subarray(9)]
    },
  )
  expect(await askServers(question, [odd.server])).toEqual(good)
  expect(odd.asked).toEqual({ udp: 1, tcp: 1 })
})

it('asks the next server when one is in trouble, is silent or is not there', async () => {
  await using troubled = await startOddNameServer((asked) => [replyTo(asked, { flags: SERVFAIL })])
  await using silent = await startOddNameServer(() => [])
  await using fine = await startOddNameServer((asked) => [answer(asked)])
  const nobody = { address: '127.0.0.1', port: await freePort('udp') }
  const servers = [troubled.server, nobody, silent.server, fine.server]
  expect(await askServers(question, servers, [100, 100])).toEqual(good)
  expect(fine.asked.udp).toBe(1)
})

it('believes the first server that denies the name', async () => {
  await using denying = await startOddNameServer((asked) => [replyTo(asked, { flags: 3 })])
  await using other = await startOddNameServer((asked) => [answer(asked)])
  expect(await askServers(question, [denying.server, other.server])).toEqual({ kind: 'nothing', code: 'ENOTFOUND' })
  expect(other.asked.udp).toBe(0)
})

it('gives up after its rounds, and says why', async () => {
  await using silent = await startOddNameServer(() => [])
  expect(await askServers(question, [silent.server], [50, 50])).toEqual({ kind: 'failed', code: 'ETIMEOUT' })
  expect(silent.asked.udp).toBe(2)
  const nobody = { address: '127.0.0.1', port: await freePort('udp') }
  expect(await askServers(question, [nobody], [1000])).toEqual({ kind: 'failed', code: 'ECONNREFUSED' })
  expect(await askServers(question, [])).toEqual({ kind: 'failed', code: 'ENOSERVER' })
})

it('gives up on a server that sends half an answer by TCP, or closes', async () => {
  await using half = await startOddNameServer(
    (asked) => [replyTo(asked, { flags: TRUNCATED })],
    (asked) => [withLength(answer(asked)).subarray(0, 20)],
  )
  expect(await askServers(question, [half.server], [100])).toEqual({ kind: 'failed', code: 'ETIMEOUT' })
  await using wrong = await startOddNameServer(
    (asked) => [replyTo(asked, { flags: TRUNCATED })],
    () => [withLength(Buffer.from('no DNS at all'))],
  )
  expect(await askServers(question, [wrong.server], [1000])).toEqual({ kind: 'failed', code: 'EBADRESP' })
})
