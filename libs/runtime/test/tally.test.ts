import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { Tally } from '@siplb/runtime'

function tally() {
  const registry = new Registry()
  const configuration = {
    name: 'calls_total',
    help: 'Calls.',
    labelNames: ['method', 'outcome'],
    registers: [registry],
  }
  return {
    calls: new Tally(configuration),
    lines: async () => (await registry.metrics()).trim().split('\n').slice(2).sort(),
  }
}

it('shows how often each thing was counted', async () => {
  const { calls, lines } = tally()
  for (let i = 0; i < 3; i++) calls.count('INVITE', 'answered')
  calls.count('INVITE', 'refused')
  calls.count('BYE', 'answered')
  expect(await lines()).toEqual([
    'calls_total{method="BYE",outcome="answered"} 1',
    'calls_total{method="INVITE",outcome="answered"} 3',
    'calls_total{method="INVITE",outcome="refused"} 1',
  ])
})

it('goes on from what it showed', async () => {
  const { calls, lines } = tally()
  calls.count('INVITE', 'answered')
  expect(await lines()).toEqual(['calls_total{method="INVITE",outcome="answered"} 1'])
  expect(await lines()).toEqual(['calls_total{method="INVITE",outcome="answered"} 1'])
  calls.count('INVITE', 'answered')
  expect(await lines()).toEqual(['calls_total{method="INVITE",outcome="answered"} 2'])
})
