import { setTimeout as sleep } from 'node:timers/promises'
import { createSampleProxy, runSipp, startKamailio, startSipp, startStack } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { scenario } from './scenario.ts'

const REFUSAL = /received 'SIP\/2\.0 (\d+)[^']*?CSeq: \d+ (\w+)/g
const hundred = { ratePerSecond: 100, pauseMs: 500, timeoutMs: 60_000 }

it('kill -9 of one of two Kamailio: no call fails where dialogs may move, and none goes there after 2 s', async () => {
  await using stack = new AsyncDisposableStack()
  // Not SIPp: that answers to where the INVITE of a call came from, whatever the Via of a later request says.
  const called = stack.use(await createSampleProxy({ name: 'called' }))
  const kamailios = [
    stack.use(await startKamailio({ next: called, name: 'kam1' })),
    stack.use(await startKamailio({ next: called, name: 'kam2' })),
  ]
  const proxies = kamailios.map(({ name, uri }) => ({ id: name, uri }))
  const balancer = stack.use(await startStack({ pools: { default: { dialogFailover: true, proxies } } }))
  const calling = runSipp({ scenario: scenario('uac'), target: balancer.sip, ...hundred, calls: 2000 })
  await sleep(8000)
  await kamailios[0]?.stop('SIGKILL')
  await sleep(2000)
  const isOut = balancer.tables.at(-1)?.proxies.find(({ id }) => id === 'kam1')
  expect(isOut).toMatchObject({ weight: 0 })
  const caller = await calling
  console.log('kill -9 of a Kamailio, dialogFailover:', JSON.stringify(caller))
  // A BYE that the killed one passed on, and whose 200 died with it, comes to the called side again by the other: the call has
  // ended, says 481, and to SIPp that is a failure.
  const refusals = [...caller.errors.matchAll(REFUSAL)].map(([, status, method]) => `${status} ${method}`)
  expect(refusals.filter((one) => one !== '481 BYE')).toEqual([])
  expect(caller).toMatchObject({ created: 2000, successful: 2000 - refusals.length, failed: refusals.length })
  expect(refusals.length).toBeLessThanOrEqual(5)
})

it('kill -9 of an end point: a call without a final answer completes on another', async () => {
  await using stack = new AsyncDisposableStack()
  const called = []
  for (let i = 0; i < 3; i++) called.push(stack.use(await startSipp({ scenario: scenario('uas'), timeoutMs: 100_000 })))
  const proxies = called.map(({ port }, i) => ({ id: `px${i + 1}`, uri: `sip:127.0.0.1:${port}` }))
  const balancer = stack.use(await startStack({ pools: { default: { proxies } } }))
  const calling = runSipp({ scenario: scenario('uac'), target: balancer.sip, ...hundred, calls: 2000 })
  await sleep(8000)
  await called[0]?.[Symbol.asyncDispose]()
  await sleep(2000)
  expect(balancer.tables.at(-1)?.proxies.find(({ id }) => id === 'px1')).toMatchObject({ weight: 0 })
  const caller = await calling
  console.log('kill -9 of an end point:', JSON.stringify(caller))
  // Calls that were up there ended with it: a third of 100 calls/s times half a second, and more of them where the machine is so
  // busy that everything is said twice. Everything else completes.
  expect(caller.failed).toBeLessThanOrEqual(60)
  expect(caller.failures).toEqual(caller.failed === 0 ? {} : { UnexpectedMessage: caller.failed })
})
