import type { Chance } from './chance.ts'

/** Changes that know nothing of SIP. Texts have one character per octet. */
export type Mutation = (text: string, chance: Chance) => string

/** What parsers stumble over. */
const nasty = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n ',
    '\r\n\t',
    '\r\n\r\n',
    '\n\n',
    '\0',
    ' ',
    '\t',
    ',',
    ';',
    ':',
    '"',
    '\\',
    '\\"',
    '<',
    '>',
    '<>',
  ],
  ...[
    '@',
    '=',
    '[',
    ']',
    '/',
    '?',
    '&',
    '%',
    '%00',
    '%0d%0a',
    '%ff',
    '\x7f',
    '\x80',
    '\xff',
    '\xc3\xa9',
    '\xf0\x9f\x93\x9e',
    '()',
    '*',
  ],
  ...[
    'SIP/2.0',
    'sip:',
    'sips:',
    'tel:+1',
    'z9hG4bK',
    '__proto__',
    'constructor',
    ';lr',
    ';tag=',
    ';rport',
    ';received=',
    ';branch=',
  ],
]

const numbers = [
  '0',
  '-1',
  '00',
  '+1',
  '1e3',
  '0x10',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967295',
]
const largeNumbers = [
  '4294967296',
  '4294967300',
  '18446744073709551615',
  '18446744073709551620',
  '9'.repeat(40),
  '9'.repeat(300),
]

const put = (text: string, at: number, remove: number, insert: string): string =>
  text.slice(0, at) + insert + text.slice(at + remove)

const flipBit: Mutation = (text, chance) => {
  const at = chance.below(text.length)
  return put(text, at, 1, String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << chance.below(8))))
}

const setOctet: Mutation = (text, chance) =>
  put(text, chance.below(text.length), 1, String.fromCharCode(chance.below(256)))

const insertNasty: Mutation = (text, chance) => put(text, chance.place(text), 0, chance.one(nasty))
const replaceNasty: Mutation = (text, chance) => put(text, chance.place(text), chance.length(40), chance.one(nasty))
const removeSome: Mutation = (text, chance) => put(text, chance.place(text), chance.length(2000), '')
const cut: Mutation = (text, chance) => text.slice(0, chance.place(text))

const repeatSome: Mutation = (text, chance) => {
  const at = chance.place(text)
  const piece = text.slice(at, at + chance.length(200))
  return put(text, at, 0, piece.repeat(1 + Math.min(chance.length(400), Math.floor(20_000 / (piece.length + 1)))))
}

const longRun: Mutation = (text, chance) =>
  put(text, chance.place(text), 0, chance.one(nasty).repeat(chance.length(6000)))

const swap: Mutation = (text, chance) => {
  const [a = 0, b = 0, c = 0] = [chance.place(text), chance.place(text), chance.place(text)].toSorted((x, y) => x - y)
  return text.slice(0, a) + text.slice(b, c) + text.slice(a, b) + text.slice(c)
}

const changeNumber: Mutation = (text, chance) => {
  const found = [...text.matchAll(/\d+/g)]
  if (found.length === 0) return text
  const match = chance.one(found)
  return put(text, match.index, match[0].length, chance.one(chance.is(0.7) ? numbers : largeNumbers))
}

export const octetMutations: readonly Mutation[] = [
  flipBit,
  setOctet,
  insertNasty,
  insertNasty,
  replaceNasty,
  removeSome,
  cut,
  repeatSome,
  longRun,
  swap,
  changeNumber,
]

/** The head of one message and the tail of another. */
export function splice(one: string, other: string, chance: Chance): string {
  return one.slice(0, chance.place(one)) + other.slice(chance.place(other))
}

export function randomOctets(chance: Chance): string {
  return Array.from({ length: chance.length(400) }, () => String.fromCharCode(chance.below(256))).join('')
}
