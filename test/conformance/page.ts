import { cases, type Case } from './cases.ts'
import type { Column } from './columns.ts'
import { keyOf, type Outcome } from './measure.ts'
import { verdictOn, type Verdict } from './verdict.ts'

/** The page as Markdown. */
export function pageOf(columns: readonly Column[], kamailio: string): string {
  return `# Conformance

What siplb does with each message of RFC 4475 and RFC 5118, the torture tests of SIP, and ${kamailio} beside it. Written by
\`npm run conformance\`, which sends each message to a real ingress, and to a Kamailio that relays what it can (\`t_relay\`, with Max-Forwards
looked at), before a proxy that keeps what it gets. Each message has a Call-ID and a branch of its own, so that none is taken for a copy.

*wanted* is what the RFC wants of a proxy that is no registrar: *pass* it on, answer it with a status, or *drop* it. What was passed on is compared
with what was sent: start line, every header line and body have to be the same, octet for octet, but for the proxy's own Via and
Record-Route or Path, \`received\` and \`rport\` in the Via below, and Max-Forwards.

${sums(columns)}

Where a cell is **bold**, it is wrong: *passed* though it should be refused, *lost* though it should be passed, or *changed* on its way.
*In italics* stands what was refused, but with another status than the RFC names, or without a word.

${table(columns)}

¹ It follows a route, or belongs to a dialog, that the proxy has no part in. siplb is no open relay: 403 for the route, 481 for the
dialog, are as right as passing it on.

² Where it comes on a stream, Content-Length alone says where a message ends (RFC 3261, 18.3): without one that holds, 400, or waiting for the
octets that are missing, is right too.
`
}

const counted: readonly (readonly [Verdict, string])[] = [
  ['passed', 'passed on, though it should be refused'],
  ['lost', 'refused or dropped, though it should be passed on'],
  ['changed', 'passed on, and changed'],
  ['otherwise', 'refused with another status, or without a word'],
]

function sums(columns: readonly Column[]): string {
  const rows = counted.map(([verdict, text]) => {
    const counts = columns.map((column) => cases.filter((one) => verdictIn(column, one) === verdict).length)
    return `| ${text} | ${counts.join(' | ')} |`
  })
  return [
    `| of ${cases.length} messages | ${headOf(columns)} |`,
    `|---|${'---|'.repeat(columns.length)}`,
    ...rows,
  ].join('\n')
}

function table(columns: readonly Column[]): string {
  const rows = cases.map((one) => {
    const cells = columns.map((column) => cellOf(verdictIn(column, one), outcomeIn(column, one)))
    return `| ${sectionOf(one)} | \`${one.name}\`: ${titleOf(one)} | ${wantedOf(one)} | ${cells.join(' | ')} |`
  })
  return [
    `| RFC | message | wanted | ${headOf(columns)} |`,
    `|---|---|---|${'---|'.repeat(columns.length)}`,
    ...rows,
  ].join('\n')
}

function headOf(columns: readonly Column[]): string {
  return columns.map(({ element, transport }) => `${element} ${transport.toUpperCase()}`).join(' | ')
}

function sectionOf({ set, section }: Case): string {
  return `${set.slice(3)}${section === '-' ? '' : `, ${section}`}`
}

function titleOf({ title, isForeign, onStream }: Case): string {
  return `${title.replaceAll('<', '&lt;')}${isForeign === true ? ' ¹' : ''}${onStream === undefined ? '' : ' ²'}`
}

const words = { forward: 'pass', silence: 'drop' } as const

function wantedOf({ wanted, alsoRight = [] }: Case): string {
  return [wanted, ...alsoRight].map((deed) => (typeof deed === 'number' ? deed : words[deed])).join(' or ')
}

const done = { forward: 'passed', silence: 'dropped' } as const

function cellOf(verdict: Verdict, { deed }: Outcome): string {
  const text = typeof deed === 'number' ? String(deed) : done[deed]
  if (verdict === 'right') return text
  if (verdict === 'otherwise') return `*${text}*`
  return verdict === 'changed' ? '**passed, changed**' : `**${text}**`
}

function outcomeIn({ outcomes }: Column, one: Case): Outcome {
  const outcome = outcomes.get(keyOf(one))
  if (outcome === undefined) throw new Error(`${keyOf(one)} was not sent`)
  return outcome
}

function verdictIn(column: Column, one: Case): Verdict {
  return verdictOn(one, outcomeIn(column, one), column.transport)
}
