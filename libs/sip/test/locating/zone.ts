import { isIP } from 'node:net'
import { parseUri } from '@siplb/sip'
import type { DnsRecord, Outcome, Question } from '../../src/locating/records.ts'
import { targetOfUri, type Target } from '../../src/locating/target.ts'

export const address = (text: string): DnsRecord => ({ type: 'address', address: text })

export const srv = (priority: number, weight: number, port: number, target: string): DnsRecord => ({
  type: 'service',
  priority,
  weight,
  port,
  target,
})

export const naptr = (order: number, preference: number, services: string, replacement: string): DnsRecord => ({
  type: 'pointer',
  order,
  preference,
  flags: 'S',
  services,
  regexp: '',
  replacement,
})

/** Records by question: `SRV _sip._udp.example.com`. */
export type Zone = Readonly<Record<string, readonly DnsRecord[]>>

export function outcomeIn(zone: Zone, { type, name }: Question, ttlMs = 60_000): Outcome {
  const records = zone[`${type} ${name}`]
  return records === undefined ? { kind: 'nothing', code: 'ENOTFOUND' } : { kind: 'records', records, ttlMs }
}

export function uriOf(text: string) {
  const uri = parseUri(text)
  if (uri === undefined) throw new Error(`no URI: ${text}`)
  return uri
}

export function targetAt(text: string): Target {
  const aim = targetOfUri(uriOf(text), isIP)
  if (aim.kind === 'unusable') throw new Error(`unusable: ${text}`)
  return aim.target
}
