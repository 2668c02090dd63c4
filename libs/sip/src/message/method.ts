import { textOf } from './octets.ts'

const known = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'UPDATE',
  'INFO',
  'MESSAGE',
  'NOTIFY',
  'SUBSCRIBE',
  'REFER',
  'PUBLISH',
]

// Length and first letter leave one or two to compare with.
const slot = (length: number, firstOctet: number): number => length * 32 + (firstOctet & 31)
const LONGEST = 9
const candidates: string[][] = Array.from({ length: (LONGEST + 1) * 32 }, () => [])
for (const method of known) candidates[slot(method.length, method.charCodeAt(0))]?.push(method)

/** The method at [start, end) as text, with its case; the usual ones are not made anew for each message. */
export function methodText(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  const found = length > LONGEST ? undefined : candidates[slot(length, bytes[start] ?? 0)]
  if (found === undefined) return textOf(bytes, start, end)
  for (let c = 0; c < found.length; c++) {
    const method = found[c]
    if (method !== undefined && isAt(bytes, start, method)) return method
  }
  return textOf(bytes, start, end)
}

function isAt(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}
