import { readFileSync, readdirSync } from 'node:fs'
import { HeaderId, applyEdits, buildResponse, removeTopVia, scan, serverKey, setMaxForwards } from '@siplb/sip'
import type { Scanned } from '@siplb/sip'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { invite } from '../messages.ts'

const folder = new URL('../data/', import.meta.url)
const seeds: Buffer[] = ['rfc4475', 'rfc5118'].flatMap((set) =>
  readdirSync(new URL(set, folder)).map((file) => readFileSync(new URL(`${set}/${file}`, folder))),
)
seeds.push(invite())

/** Uses everything that a message offers. */
function exercise(message: Scanned): void {
  if (message.kind === 'keep-alive') return
  if (message.kind === 'malformed') {
    if (message.message !== undefined) expectOneMessage(buildResponse(message.message, { status: message.status }))
    return
  }
  for (const id of Object.values(HeaderId)) message.values(id)
  expect(message.viaCount).toBeGreaterThan(0)
  applyEdits(message, [...removeTopVia(message), setMaxForwards(message, 1)])
  if (message.kind === 'response') return
  serverKey(message)
  const answer = scan(buildResponse(message, { status: 180, received: '192.0.2.9', rport: 9 }))
  expect(answer).toMatchObject({ kind: 'response', status: 180, topVia: { received: '192.0.2.9' } })
}

// An answer ends at its first empty line, and every line before it has a name.
function expectOneMessage(bytes: Buffer): void {
  const text = bytes.toString('latin1')
  expect(text.indexOf('\r\n\r\n')).toBe(text.length - 4)
  for (const line of text.slice(0, -4).split('\r\n').slice(1)) expect(line).toMatch(/^([^\s:]+[ \t]*:|[ \t])/)
}

const nasty = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  ',',
  ';',
  '"',
  '<',
  '>',
  ':',
  '@',
  '=',
  '[',
  '\\',
  '\xff',
  'a',
  '9',
)

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(3),
  insert: fc.array(nasty, { maxLength: 3 }),
})

function mutate(seed: Buffer, changes: readonly { at: number; remove: number; insert: readonly string[] }[]): Buffer {
  let text = seed.toString('latin1')
  for (const { at, remove, insert } of changes) {
    const place = Math.floor(at * text.length)
    text = text.slice(0, place) + insert.join('') + text.slice(place + remove)
  }
  return Buffer.from(text, 'latin1')
}

it('takes or refuses whatever comes, and never throws', () => {
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(mutation, { maxLength: 4 }), (seed, changes) => {
      exercise(scan(mutate(seed, changes)))
    }),
    { numRuns: 3_000 },
  )
})

it('takes or refuses octets at random', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => exercise(scan(Buffer.from(octets)))))
})

it('refuses every message that was cut off, or reads it to its end', () => {
  const whole = invite()
  for (let length = 0; length < whole.length; length++) {
    expect(scan(whole.subarray(0, length)).kind).not.toBe('request')
  }
})
