import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCaller, createSampleProxy, runSipp, startKamailio, startSipp, waitFor } from '@siplb/testkit'

const scenario = (name: string) =>
  join(import.meta.dirname, '..', '..', '..', 'test', 'peers', 'scenarios', `${name}.xml`)

describe('our test endpoints and real programs', () => {
  it.each([
    ['uas', 'uac'],
    ['uas', 'uac-reinvite'],
    ['uas-hangs-up', 'uac-hung-up'],
  ])('SIPp calls SIPp through a record-routing Kamailio: %s, %s', async (called, calling) => {
    await using uas = await startSipp({ scenario: scenario(called), pauseMs: 30 })
    // With two processes the 200 could overtake the 180.
    await using kamailio = await startKamailio({ next: uas, children: 1 })
    const made = await runSipp({
      scenario: scenario(calling),
      target: kamailio,
      calls: 50,
      ratePerSecond: 100,
      pauseMs: 30,
    })
    expect(made).toMatchObject({ created: 50, successful: 50, failed: 0, errors: '' })
    expect(await kamailio.statistics(['core:rcv_requests_invite'])).toEqual({
      'core:rcv_requests_invite': calling === 'uac-reinvite' ? 100 : 50,
    })
    expect(await uas.stop()).toMatchObject({ created: 50, successful: 50, failed: 0 })
  })

  it('our caller reaches our sample proxy through Kamailio, along the routes that it gives', async () => {
    await using proxy = await createSampleProxy({ name: 'phone' })
    await using kamailio = await startKamailio({ next: proxy })
    await using caller = await createCaller({ target: kamailio })
    const result = await caller.call({ callMs: 50, reInvites: 1 })
    expect(result).toMatchObject({ outcome: 'completed', followedBy: ['phone', 'phone'] })
    expect(await kamailio.statistics(['core:rcv_requests_bye'])).toEqual({ 'core:rcv_requests_bye': 1 })

    const call = caller.call({ callId: 'c1', hangUp: 'called' })
    await waitFor(() => proxy.counters().callsAnswered === 2, 2000)
    expect(await proxy.hangUp('c1')).toBe(200)
    expect(await call).toMatchObject({ outcome: 'completed' })
    expect(await kamailio.statistics(['core:rcv_requests_bye'])).toEqual({ 'core:rcv_requests_bye': 2 })
  })

  it('SIPp calls our sample proxy, and our caller calls SIPp', async () => {
    await using proxy = await createSampleProxy()
    const made = await runSipp({ scenario: scenario('uac-reinvite'), target: proxy, calls: 20, ratePerSecond: 100 })
    expect(made).toMatchObject({ successful: 20, failed: 0, errors: '' })
    await using uas = await startSipp({ scenario: scenario('uas') })
    await using caller = await createCaller({ target: uas })
    expect(await caller.call({ callMs: 20, reInvites: 2 })).toMatchObject({ outcome: 'completed', retransmissions: 0 })
  })

  it('Kamailio grows slow, refuses, hangs and recovers at run time', async () => {
    await using proxy = await createSampleProxy()
    await using kamailio = await startKamailio({ next: proxy, name: 'px1' })
    await using caller = await createCaller({ target: kamailio, timers: { t1Ms: 100, giveUpMs: 600 } })
    await kamailio.setDelay(80)
    expect((await caller.call()).firstResponseMs).toBeGreaterThanOrEqual(80)
    await kamailio.setDelay(0)
    await kamailio.setRefusal(503)
    expect(await caller.call()).toMatchObject({ status: 503, answeredBy: 'px1' })
    await kamailio.setRefusal(undefined)
    kamailio.freeze()
    expect(await caller.call()).toMatchObject({ reason: 'timeout' })
    kamailio.thaw()
    expect(await caller.call()).toMatchObject({ outcome: 'completed' })
    await kamailio.stop('SIGKILL')
    expect(await caller.call()).toMatchObject({ reason: 'timeout' })
  })

  it('counts the calls that SIPp could not make', async () => {
    await using proxy = await createSampleProxy({ answer: 486 })
    const made = await runSipp({ scenario: scenario('uac'), target: proxy, calls: 5 })
    expect(made).toMatchObject({ created: 5, successful: 0, failed: 5, failures: { UnexpectedMessage: 5 } })
    expect(made.errors).toContain('486')
  })
})
