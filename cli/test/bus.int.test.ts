import { mkdtempSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { ran } from './ran.ts'
import { startSiplb } from './siplb.ts'
import { startWeigher, tableOf, type Weigher } from './weigher.ts'

const main = tableOf('main', 7, [
  { weight: 50, signals: { responseTimeMs: 22.04, load: 0.31, faultRate: 0 } },
  { weight: 25, prevWeight: 50, state: 'suspect', reason: 'response time 91 ms, pool 22 ms' },
  { weight: 100, tier: 2 },
])

let nats: TestNats

beforeAll(async () => {
  nats = await startNats()
})

afterAll(() => nats.stop())

function onBus(...args: string[]) {
  return ran([...args, '--nats', nats.url])
}

it('says what is missing when nobody has written a table of weights', async () => {
  const { code, remarks } = await onBus('weights')
  expect(remarks).toMatch(/^no weigher has written a table of weights yet: start one/)
  expect(code).toBe(1)
})

it('says that no weigher answers', async () => {
  expect(await onBus('weights', '--pool', 'main')).toMatchObject({
    code: 1,
    remarks: expect.stringMatching(/^no weigher answers on this bus: start one/),
  })
})

describe('with a weigher of one pool', () => {
  let weigher: Weigher

  beforeAll(async () => {
    weigher = await startWeigher(nats.url, [main])
  })

  afterAll(() => weigher[Symbol.asyncDispose]())

  it('shows weights, shares and reasons', async () => {
    const { code, printed } = await onBus('weights')
    expect(code).toBe(0)
    expect(printed.split('\n')).toEqual([
      'pool main: least-work; revision 1.7 by w1',
      'proxy  uri                tier  state    base  weight   share  response  load  faults  reason',
      'px1    sip:10.0.0.1:5060     1  up        100      50  28.6 %     22 ms  31 %     0 %  as configured',
      'px2    sip:10.0.0.2:5060     1  suspect   100      25  14.3 %         –     –       –  response time 91 ms, pool 22 ms',
      'px3    sip:10.0.0.3:5060     2  up        100     100  57.1 %         –     –       –  as configured',
    ])
  })

  it('gives programs the tables as they are', async () => {
    const { printed } = await onBus('weights', '-o', 'json')
    expect(JSON.parse(printed)).toEqual([main])
  })

  it('lists the proxies', async () => {
    const { printed } = await onBus('proxies', 'list')
    expect(printed.split('\n').slice(0, 2)).toEqual([
      'pool  proxy  uri                tier  state    base  weight',
      'main  px1    sip:10.0.0.1:5060     1  up        100      50',
    ])
    expect(JSON.parse((await onBus('proxies', 'list', '-o', 'json')).printed)).toMatchObject([
      { pool: 'main', id: 'px1', weight: 50 },
      { id: 'px2' },
      { id: 'px3' },
    ])
  })

  it('names the pools there are, and the one that was probably meant', async () => {
    expect(await onBus('weights', '--pool', 'maim')).toMatchObject({
      code: 1,
      remarks: 'there is no pool maim (did you mean main?); there is main',
    })
    expect(await onBus('proxies', 'drain', 'px1', '--pool', 'other')).toMatchObject({
      code: 1,
      remarks: 'there is no pool other; there is main',
    })
  })

  it('names the proxies there are', async () => {
    expect(await onBus('proxies', 'drain', 'px4')).toMatchObject({
      code: 1,
      remarks: 'pool main has no proxy px4 (did you mean px1?); it has px1, px2, px3',
    })
  })

  it('adds a proxy to the only pool, and says who did it', async () => {
    const { code, printed } = await onBus('proxies', 'add', 'px4', 'sip:10.0.0.4', '--weight', '50')
    expect({ code, printed }).toEqual({
      code: 0,
      printed: 'main px4 sip:10.0.0.4: enabled, base weight 50, tier 1, from command',
    })
    expect(weigher.commands.at(-1)).toMatchObject({
      verb: 'add',
      pool: 'main',
      weight: 50,
      actor: expect.stringMatching(new RegExp(`^cli/.+@${hostname()}$`)),
    })
  })

  it('sets a weight, and returns it to the declared one', async () => {
    const { printed } = await onBus('proxies', 'set', 'px1', '--weight', '30')
    expect(printed).toBe('main px1 sip:10.0.0.1:5060: enabled, base weight 30 (declared 100), tier 1, from config')
    await onBus('proxies', 'set', 'px1', '--weight', 'default')
    expect(weigher.commands.at(-1)).toMatchObject({ verb: 'set', proxy: 'px1', weight: null })
  })

  it('says that a proxy is removed', async () => {
    expect((await onBus('proxies', 'remove', 'px3')).printed).toBe('main px3 sip:10.0.0.3:5060: removed')
  })

  it('hands on the refusal of the weigher', async () => {
    expect(await onBus('proxies', 'add', 'px1', 'sip:10.0.0.9')).toMatchObject({
      code: 1,
      remarks: 'the weigher refuses: proxy px1 is there already',
    })
  })

  it('refuses nonsense before it asks', async () => {
    expect(await onBus('proxies', 'add', 'PX 1', 'tel:1')).toMatchObject({
      code: 2,
      remarks: expect.stringMatching(/^proxy: must be a slug.*\nuri: must be a SIP URI/),
    })
    expect(await onBus('proxies', 'set', 'px1', '--weight', 'much')).toMatchObject({
      code: 2,
      remarks: '--weight wants a number from 0 on, not "much"',
    })
  })

  it('finds the bus by the environment too', async () => {
    expect((await ran(['proxies', 'list'], { SIPLB_NATS__SERVERS: nats.url })).code).toBe(0)
  })

  it('takes the address of the bus from a file, which needs no pools for it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'siplb-cli-')), 'bus.yaml')
    writeFileSync(file, `nats: { servers: ['${nats.url}'] }\n`)
    expect((await ran(['proxies', 'list', '--config', file])).code).toBe(0)
  })

  it('goes on printing changes with their reasons, until interrupted', async () => {
    const running = startSiplb(['weights', '--watch', '--nats', nats.url])
    await waitFor(() => running.lines().length === 5, 10_000, 'the table')
    const rows = main.proxies.map((row) =>
      row.id === 'px2' ? { ...row, weight: 40, prevWeight: 25, state: 'up' as const, reason: 'back to normal' } : row,
    )
    await weigher.publish({ ...main, seq: 8, prevSeq: 7, proxies: rows })
    await waitFor(() => running.lines().length === 6, 5000, 'the change')
    expect(running.lines()[5]).toMatch(/^\d\d:\d\d:\d\d main px2 25 → 40 \(suspect → up\): back to normal$/)
    expect(await running.interrupt()).toBe(0)
  })
})

it('follows weights and states as they change, for people and for programs', async () => {
  await using weigher = await startWeigher(nats.url, [])
  const forPeople = startSiplb(['events', '--nats', nats.url])
  const forPrograms = startSiplb(['events', '--pool', 'main', '-o', 'json', '--nats', nats.url])
  const change = { pool: 'main', proxy: 'px2', state: 'down', prevState: 'suspect', cause: '4 probes lost' } as const
  const isFollowed = () => {
    weigher.say({ ...change, actor: 'weigher' })
    return forPeople.lines().length > 0 && forPrograms.lines().length > 0
  }
  await waitFor(isFollowed, 10_000, 'a change of state')
  expect(forPeople.lines()[0]).toMatch(/^\d\d:\d\d:\d\d main px2 suspect → down: 4 probes lost \(weigher\)$/)
  await weigher.publish(tableOf('spare', 4, [{}]))
  await weigher.publish(main)
  const isThere = (line: string) => line.includes('px2 50 → 25 (suspect): response time 91 ms, pool 22 ms')
  await waitFor(() => forPeople.lines().some(isThere), 5000, 'the change of a weight')
  await waitFor(() => forPrograms.lines().some((line) => line.includes('weights')), 5000, 'the table')
  const said = forPrograms.lines().map((line) => JSON.parse(line) as { type: string; data: object })
  expect(said[0]).toMatchObject({
    type: 'siplb.proxy.state.v1',
    source: expect.stringMatching(/^\/siplb\/weigher\//),
    data: change,
  })
  expect(said.at(-1)).toMatchObject({ type: 'siplb.weights.changed.v1', data: main })
  expect(await forPeople.interrupt()).toBe(0)
  expect(await forPrograms.interrupt()).toBe(0)
})

it('asks which pool is meant when there are several, and shows all where it may', async () => {
  await using _ = await startWeigher(nats.url, [main, tableOf('spare', 1, [{}])])
  expect(await onBus('proxies', 'drain', 'px1')).toMatchObject({
    code: 2,
    remarks: 'there are several pools, say which by --pool: main, spare',
  })
  expect((await onBus('proxies', 'drain', 'px1', '--pool', 'spare')).printed).toMatch(/^spare px1 .*: draining/)
  expect((await onBus('weights')).printed.match(/^pool \w+/gm)).toEqual(['pool main', 'pool spare'])
})

it('passes over a pool whose table was left behind', async () => {
  await using weigher = await startWeigher(nats.url, [main, tableOf('fax', 1, [{}])])
  weigher.forget('fax')
  expect(await onBus('weights', '--pool', 'fax')).toMatchObject({
    code: 1,
    remarks: 'there is no pool fax; there is main',
  })
  expect((await onBus('proxies', 'drain', 'px1')).printed).toMatch(/^main px1 .*: draining/)
})

it('says how to be let in where a user is wanted', async () => {
  await using guarded = await startNats({ args: ['--user', 'operator', '--pass', 'secret'] })
  const args = ['weights', '--nats', guarded.url]
  expect(await ran(args)).toMatchObject({
    code: 1,
    remarks: expect.stringMatching(/does not let us in without a user: give --user/),
  })
  expect(await ran([...args, '--user', 'operator', '--password', 'wrong'])).toMatchObject({
    code: 1,
    remarks: expect.stringMatching(/does not let us in as user operator/),
  })
  expect(await ran([...args, '--user', 'operator'], { SIPLB_NATS__PASSWORD: 'secret' })).toMatchObject({
    code: 1,
    remarks: expect.stringMatching(/^no weigher has written/),
  })
})

it('works with what config/nats.conf allows the operator', async () => {
  for (const user of ['INGRESS', 'PROBER', 'WEIGHER', 'LOCATION', 'OPERATOR', 'PROGRAMS']) {
    process.env[`SIPLB_NATS_${user}_PASSWORD`] = '"secret"'
  }
  const file = join(import.meta.dirname, '../../config/nats.conf')
  await using guarded = await startNats({ args: ['-c', file] })
  const operator = { user: 'operator', password: 'secret' }
  await using weigher = await startWeigher(guarded.url, [main], {
    weigher: { user: 'weigher', password: 'secret' },
    operator,
  })
  const as = ['--nats', guarded.url, '--user', 'operator', '--password', 'secret']
  expect((await ran(['weights', ...as])).printed).toMatch(/^pool main/)
  expect((await ran(['proxies', 'drain', 'px1', ...as])).code).toBe(0)
  const running = startSiplb(['weights', '--watch', ...as])
  await waitFor(() => running.lines().length === 5, 10_000, 'the table')
  await weigher.publish({ ...main, seq: 8, proxies: main.proxies.map((row) => ({ ...row, weight: 1 })) })
  await waitFor(() => running.lines().length === 8, 5000, 'the changes')
  await running.interrupt()
})
