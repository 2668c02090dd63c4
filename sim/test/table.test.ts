import { expect, test } from 'vitest'
import type { Row } from '../scenario.ts'
import { scenarios } from '../scenarios/all.ts'
import { coldStart } from '../scenarios/cold-start.ts'
import { broken, tableOf } from '../table.ts'

const held: Row = {
  what: 'share',
  peers: { 'round robin': '25 %', 'least calls': '24 %' },
  ours: '2 %',
  promise: '< 5 %',
  held: true,
}
const failed: Row = { ...held, ours: '9 %', held: false }
const told: Row = { what: 'moves', peers: {}, ours: '3' }
const runs = [{ scenario: coldStart, findings: { rows: [held, failed, told] } }]

test('a row has peers beside ours, the promise and the verdict; one without a promise has none', () => {
  const lines = tableOf(runs).split('\n').slice(2)
  expect(lines).toEqual([
    '| share | round robin: 25 %; least calls: 24 % | 2 % | < 5 % | yes |',
    '| share | round robin: 25 %; least calls: 24 % | 9 % | < 5 % | **no** |',
    '| moves | – | 3 | – |  |',
  ])
})

test('only a promise that did not hold is broken', () => {
  expect(broken(runs)).toEqual([failed])
})

test('each scenario has a name of its own and says in a sentence what it shows', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length)
  for (const { shows } of scenarios) expect(shows).toMatch(/^[A-Z].*\.$/)
})

test('the first requests after a start are spread by base weight', () => {
  expect(broken([{ scenario: coldStart, findings: coldStart.run(7) }])).toEqual([])
})
