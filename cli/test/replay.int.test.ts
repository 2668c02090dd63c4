import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNatsBus, type Bus } from '@siplb/bus'
import {
  loadReported,
  natsConfig,
  proxiesTable,
  responseTimeTaken,
  streams,
  trafficSeen,
  weightsChanged,
  type ProxyRecord,
  type WeightTable,
} from '@siplb/contracts'
import { newInstance, version } from '@siplb/runtime'
import { spawnService, startNats, waitFor, type TestNats } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { ran } from './ran.ts'
import { loaded, probe, recordOf, traffic } from './replay/signals-under-test.ts'

const pool = { pool: 'default' }

/** What the tests read of `-o json`. */
interface Printed {
  readonly inForce: { readonly tables: number; readonly proxies: readonly { readonly lowestWeight: number }[] }
  readonly changed: object | null
}

interface OpenedBus extends AsyncDisposable {
  readonly bus: Bus
}

async function busOn(nats: TestNats, user: object = {}): Promise<OpenedBus> {
  const bus = createNatsBus({
    config: natsConfig.parse({ servers: [nats.url], ...user }),
    ...{ service: 'tester', instance: newInstance(), version, isService: false },
    log: { info() {}, warn() {} },
    observer: { published() {}, unpublished() {}, received() {}, dropped() {} },
  })
  await waitFor(() => bus.isConnected(), 5000, 'the bus')
  return { bus, [Symbol.asyncDispose]: () => bus.close() }
}

/** What a weigher would have made, without one. */
async function stored(bus: Bus, records: readonly ProxyRecord[] = [recordOf('px1'), recordOf('px2')]): Promise<void> {
  await bus.ensureStream(streams.signals)
  const list = bus.table(proxiesTable, 'owner')
  for (const record of records) await list.put(`${record.pool}.${record.id}`, record)
}

/** A quarter of a second in which both proxies answer, and px1 tells its load. */
function tell(bus: Bus, i: number, load: number | undefined): void {
  if (i % 4 === 0) {
    const probes = [probe(0, 'px1'), probe(0, 'px2')].flatMap((one) => (one.kind === 'probe' ? one.data : []))
    bus.publish(responseTimeTaken, pool, probes)
  }
  const report = traffic(0, { px1: { requests: 10 }, px2: { requests: 10 } })
  if (report.kind === 'traffic') bus.publish(trafficSeen, pool, report.data)
  const said = load === undefined ? undefined : loaded(0, 'px1', load)
  if (said?.kind === 'load') bus.publish(loadReported, pool, said.data)
}

async function script(bus: Bus, load: number, quarters = 24): Promise<void> {
  for (let i = 0; i < quarters; i++) {
    tell(bus, i, i === 4 ? load : undefined)
    await sleep(250)
  }
}

describe('siplb replay', () => {
  it('shows what other settings would have made of the same signals', async () => {
    await using nats = await startNats()
    await using tester = await busOn(nats)
    await stored(tester.bus)
    await script(tester.bus, 0.65)
    const to = ['--nats', nats.url]
    const until = ['--until', new Date().toISOString()]
    const set = ['--set', 'weights.loadTarget=0.3', '--policy', 'weighted-random']
    const { code, printed } = await ran(['replay', '--since', '1m', ...until, ...set, ...to])
    expect(code).toBe(0)
    const [headline, settings, titles, px1, px2, sums, note] = printed.split('\n')
    expect(headline).toMatch(
      /^pool default: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to \d\d:\d\d:\d\d \([56] s\), 37 events, 480 requests$/,
    )
    expect(settings).toBe(
      'in force: least-work; changed: policy least-work → weighted-random, weights.loadTarget 0.7 → 0.3',
    )
    expect(titles).toMatch(/^proxy +base +mean weight +lowest +under half +states +share +requests +while failing$/)
    expect(px1).toMatch(/^px1 +100 +100 → [567]\d(\.\d)? +100 → 5\d(\.\d)? +0 s .* % → [34]\d(\.\d)? % +\d+ → \d+ +0$/)
    expect(px2).toMatch(/^px2 +100 +100 +100 +0 s/)
    expect(sums).toMatch(/^tables said: \d+( → \d+)?; changes of state: \d+; requests to failing proxies: 0 \(0 %\)$/)
    expect(note).toMatch(/shares are estimated/)
    const again = await ran(['replay', '--since', '1m', ...until, ...set, ...to, '-o', 'json'])
    const third = await ran(['replay', '--since', '1m', ...until, ...set, ...to, '-o', 'json'])
    expect(third.printed).toBe(again.printed)
    const json = JSON.parse(again.printed) as Printed
    expect(json).toMatchObject({
      ...{ pool: 'default', events: 37, requests: 480 },
      inForce: { settings: { policy: 'least-work', weights: { loadTarget: 0.7 } } },
      changed: {
        settings: { policy: 'weighted-random', weights: { loadTarget: 0.3 } },
        requests: expect.closeTo(480, 6),
      },
    })
    expect(json.inForce.proxies).toMatchObject([
      { id: 'px1', meanWeight: 100, lowestWeight: 100 },
      { id: 'px2', meanWeight: 100, lowestWeight: 100 },
    ])
  })

  it('of the same settings says the tables that a weigher really said', async () => {
    await using nats = await startNats()
    await using tester = await busOn(nats)
    const tables: WeightTable[] = []
    tester.bus.subscribe(weightsChanged, pool, ({ data }) => tables.push(data))
    const proxies = ['px1', 'px2'].map((id) => ({ id, uri: `sip:${id}.example.com` }))
    const weights = { loadTarget: 0.4 }
    const config = { nats: { servers: [nats.url] }, http: { port: 0 }, weights, pools: { default: { proxies } } }
    await using _weigher = await spawnService('weigher', { config })
    await waitFor(() => tables.some((table) => table.proxies.length === 2), 5000, 'the first table')
    // So long that minor news have their turn too, five seconds after the urgent ones.
    await script(tester.bus, 0.95, 36)
    await sleep(400)
    tell(tester.bus, 24, undefined)
    await sleep(400)
    const file = join(mkdtempSync(join(tmpdir(), 'siplb-cli-')), 'siplb.json')
    writeFileSync(file, JSON.stringify(config))
    const { code, printed } = await ran(['replay', '--config', file, '-o', 'json'])
    expect(code).toBe(0)
    const { inForce, changed } = JSON.parse(printed) as Printed
    expect(changed).toBeNull()
    const last = tables.at(-1)
    expect(last?.proxies[0]?.weight).toBeLessThan(15)
    const lowest = (id: string) =>
      Math.min(...tables.map((table) => table.proxies.find((row) => row.id === id)?.weight ?? Infinity))
    expect(inForce.proxies).toMatchObject([{ id: 'px1' }, { id: 'px2', lowestWeight: lowest('px2') }])
    // Ticks come at other moments, and make other steps of a fall from 100.
    expect(Math.abs((inForce.proxies[0]?.lowestWeight ?? 0) - lowest('px1'))).toBeLessThan(1.5)
    // The first table is said before the first signal.
    expect(inForce.tables).toBeGreaterThan(2)
    expect(Math.abs(inForce.tables - (tables.length - 1))).toBeLessThanOrEqual(2)
  }, 30_000)

  it('takes the shadow of the file where nothing else is said, and changes nothing without one', async () => {
    await using nats = await startNats()
    await using tester = await busOn(nats)
    await stored(tester.bus)
    for (let i = 0; i < 4; i++) tell(tester.bus, i, 0.5)
    const file = join(mkdtempSync(join(tmpdir(), 'siplb-cli-')), 'siplb.json')
    const shadow = { policy: 'two-choices', weights: { deadBand: 0.1 } }
    const proxies = [{ id: 'px1', uri: 'sip:10.0.0.1' }]
    writeFileSync(file, JSON.stringify({ pools: { default: { policy: 'smooth-round-robin', shadow, proxies } } }))
    await waitFor(
      async () => (await ran(['replay', '--nats', nats.url])).printed.includes('80 requests'),
      5000,
      'the signals to be stored',
    )
    const withFile = await ran(['replay', '--nats', nats.url, '--config', file])
    expect(withFile.printed).toContain(
      'in force: smooth-round-robin; changed: policy smooth-round-robin → two-choices, weights.deadBand 0.05 → 0.1',
    )
    const without = await ran(['replay', '--nats', nats.url])
    expect(without.printed).toContain('in force: least-work; changed: nothing')
    expect(without.printed.split('\n')[3]).not.toContain('→')
  })

  it('says what is missing, with its cure', async () => {
    await using nats = await startNats()
    await using tester = await busOn(nats)
    const on = (...args: string[]) => ran(['replay', '--nats', nats.url, ...args])
    expect(await on()).toMatchObject({
      code: 1,
      remarks: expect.stringMatching(/^no weigher has kept a list of proxies on this bus yet: start one/),
    })
    await tester.bus.table(proxiesTable, 'owner').put('default.px1', recordOf('px1'))
    expect(await on()).toMatchObject({
      code: 1,
      remarks: expect.stringMatching(/^there is no stream SIPLB_SIGNALS on this bus yet: a weigher makes it/),
    })
    await stored(tester.bus, [recordOf('px1'), { ...recordOf('px9'), pool: 'spare' }])
    expect(await on()).toMatchObject({
      code: 2,
      remarks: 'there are several pools, say which by --pool: default, spare',
    })
    expect(await on('--pool', 'defualt')).toMatchObject({
      code: 1,
      remarks: 'there is no pool defualt (did you mean default?); there is default, spare',
    })
    expect(await on('--pool', 'default')).toMatchObject({
      code: 1,
      remarks: expect.stringMatching(
        /^no signal of pool default is there from .*: the bus keeps those of the last two hours/,
      ),
    })
    expect(await on('--pool', 'default', '--policy', 'lest-work')).toMatchObject({
      code: 2,
      remarks: expect.stringMatching(
        /^there is no policy "lest-work" \(did you mean least-work\?\); there is least-work, /,
      ),
    })
    expect(await on('--pool', 'default', '--set', 'deadBand=0.1')).toMatchObject({
      code: 2,
      remarks: expect.stringMatching(/not "deadBand" \(did you mean weights\.deadBand\?\)$/),
    })
    expect(await on('--pool', 'default', '--set', 'weights.deadBand=2')).toMatchObject({
      code: 2,
      remarks: expect.stringMatching(/^these settings are wrong:\n--set: weights\.deadBand: must be /),
    })
  })

  it('needs no more than config/nats.conf allows the operator', async () => {
    for (const user of ['INGRESS', 'PROBER', 'WEIGHER', 'LOCATION', 'OPERATOR', 'PROGRAMS']) {
      process.env[`SIPLB_NATS_${user}_PASSWORD`] = '"secret"'
    }
    await using nats = await startNats({ args: ['-c', join(import.meta.dirname, '../../config/nats.conf')] })
    await using weigher = await busOn(nats, { user: 'weigher', password: 'secret' })
    await stored(weigher.bus)
    await using ingress = await busOn(nats, { user: 'ingress', password: 'secret' })
    tell(ingress.bus, 1, 0.5)
    const as = ['--nats', nats.url, '--user', 'operator', '--password', 'secret']
    await waitFor(async () => (await ran(['replay', ...as])).code === 0, 5000, 'the signals')
    expect((await ran(['replay', ...as])).printed).toMatch(/2 events, 20 requests\n/)
  })
})
