import { createRegistry } from '@siplb/runtime'
import { load as loadEvent, type Load } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { healthy } from '../../src/domain/self-health.ts'
import { createProberMetrics } from '../../src/metrics.ts'
import { ProxyLoad } from '../../src/shell/proxy-load.ts'
import { SignalBatch } from '../../src/shell/signal-batch.ts'

function proxyLoad(source?: 'header' | 'kamailio') {
  const published: Load[] = []
  const logged: string[] = []
  const write = (fields: object, text: string) => {
    logged.push(`${'source' in fields ? String(fields.source) : 'nobody'}: ${text}`)
  }
  const metrics = createProberMetrics(createRegistry())
  const publish = (_: unknown, __: unknown, data: unknown) => {
    for (const event of [data].flat()) published.push(loadEvent.parse(event))
    return true
  }
  const signals = new SignalBatch({ publish }, metrics)
  const settings = source && { source, intervalMs: 1000, expiryMs: 3000 }
  const proxy = { key: 'default.px1', pool: 'default', id: 'px1', uri: 'sip:px1', load: settings }
  const load = new ProxyLoad(proxy, signals, metrics, { info: write, warn: write })
  const events = () => {
    signals.flush(healthy)
    return published
  }
  return { load, logged, events }
}

const report = { kind: 'load', load: 0.5, details: {} } as const

describe('a source that fails', () => {
  it('is logged when it begins and when it ends, and gives no load meanwhile', () => {
    const { load, logged, events } = proxyLoad('kamailio')
    for (let i = 0; i < 3; i++) load.failed('kamailio', 'ECONNREFUSED')
    expect(logged).toEqual(['kamailio: load cannot be read'])
    expect(events()).toEqual([])
    load.reported('kamailio', report)
    load.reported('kamailio', report)
    load.failed('kamailio', 'ECONNREFUSED')
    expect(logged.slice(1)).toEqual(['kamailio: load is readable again', 'kamailio: load cannot be read'])
    expect(events()).toHaveLength(2)
  })

  it('says nothing of another source', () => {
    const { load, logged } = proxyLoad()
    load.failed('header', 'not a number')
    load.answered({ header: undefined, body: report })
    expect(logged).toEqual(['header: load cannot be read'])
  })
})

it('a load is believed as long as the proxy list says', () => {
  const { load, events } = proxyLoad('kamailio')
  load.reported('kamailio', report)
  expect(events()).toMatchObject([{ proxy: 'px1', load: 0.5, source: 'kamailio', expiresInMs: 3000 }])
})

it('an answer without the header is a failure only where the header is the source of the load', () => {
  const nothing = { header: undefined, body: undefined }
  const [declared, plain] = [proxyLoad('header'), proxyLoad()]
  declared.load.answered(nothing)
  plain.load.answered(nothing)
  expect(declared.logged).toEqual(['header: load cannot be read'])
  expect(plain.logged).toEqual([])
})
