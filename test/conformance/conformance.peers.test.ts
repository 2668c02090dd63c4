import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { cases } from './cases.ts'
import { measureAll, type Column } from './columns.ts'
import { kamailioVersion } from './elements.ts'
import { keyOf } from './measure.ts'
import { pageOf } from './page.ts'
import { verdictOn } from './verdict.ts'

describe('the torture messages of RFC 4475 and RFC 5118', () => {
  let columns: Column[]
  let kamailio: string

  beforeAll(async () => {
    columns = await measureAll()
    kamailio = await kamailioVersion()
  }, 180_000)

  it.each(['udp', 'tcp'] as const)(
    'are dealt with by siplb over %s as the RFCs want, and pass unchanged',
    (transport) => {
      const ours = columns.find((column) => column.element === 'siplb' && column.transport === transport)
      const wrong = cases.flatMap((one) => {
        const outcome = ours?.outcomes.get(keyOf(one))
        if (outcome === undefined) return [{ name: keyOf(one), wanted: one.wanted }]
        const verdict = verdictOn(one, outcome, transport)
        return verdict === 'right' ? [] : [{ name: keyOf(one), wanted: one.wanted, verdict, ...outcome }]
      })
      expect(wrong).toEqual([])
    },
  )

  it('are told of in docs/conformance.md as they were: `npm run conformance` writes it anew', async () => {
    const page = await readFile(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
    const isSameKamailio = page.includes(`${kamailio} beside`)
    const compared = (text: string) => (isSameKamailio ? text : withoutKamailio(text))
    expect(compared(page)).toBe(compared(pageOf(columns, kamailio)))
  })
})

/** Another version of it may do other things; its columns are the last two. */
function withoutKamailio(page: string): string {
  return page
    .replace(/Kamailio \d[\d.]*/, '')
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.split('|').slice(0, -3).join('|') : line))
    .join('\n')
}
