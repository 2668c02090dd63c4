import { Buffer } from 'node:buffer'
import { scan, type SipRequest, type SipResponse } from '@siplb/sip'
import type { WeightRow, WeightTable } from '@siplb/contracts'
import { invite } from './calls/messages.ts'

/** An INVITE as a phone sends it: some 650 octets, of which a third are its body. */
export const inviteBytes = invite({ number: 1, local: { address: '192.0.2.1', port: 5070 } })

export function requestOf(bytes: Buffer): SipRequest {
  const scanned = scan(bytes)
  if (scanned.kind !== 'request') throw new Error(`not a request: ${scanned.kind}`)
  return scanned
}

export function responseOf(bytes: Buffer): SipResponse {
  const scanned = scan(bytes)
  if (scanned.kind !== 'response') throw new Error(`not a response: ${scanned.kind}`)
  return scanned
}

/** What a proxy answers: the headers that a response repeats, as the request has them, and a Contact. */
export function answerTo(request: Buffer, status: string, toTag = 'px1'): Buffer {
  const text = request.toString('latin1')
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n').slice(1)
  const repeated = lines.filter((line) => /^(Record-Route|Via|From|To|Call-ID|CSeq):/.test(line))
  const tagged = repeated.map((line) =>
    line.startsWith('To:') && !line.includes('tag=') ? `${line};tag=${toTag}` : line,
  )
  const own = ['Contact: <sip:bob@192.0.2.51:5060>', 'Content-Length: 0', '', '']
  return Buffer.from([`SIP/2.0 ${status}`, ...tagged, ...own].join('\r\n'), 'latin1')
}

export function tableOf(size: number, policy: WeightTable['policy']): WeightTable {
  const proxies = Array.from({ length: size }, (_, i) => rowOf(i))
  return {
    ...{ pool: 'default', epoch: 1, seq: 1, prevSeq: 0, writer: 'weigher', policy, strict: false, panic: false },
    ...{ costs: {}, proxies },
  }
}

function rowOf(i: number): WeightRow {
  const weight = 50 + (i % 100)
  return {
    ...{ id: `px${i}`, uri: `sip:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:5060`, tier: 1, baseWeight: 100, weight },
    ...{ prevWeight: weight, state: 'up', restricted: false, reason: 'as configured', signals: {} },
  }
}
