import { describe, expect, it } from 'vitest'
import {
  addProxy,
  cloudEvent,
  compareRevisions,
  config,
  loadReported,
  responseTimeTaken,
  routeQuestion,
  setProxy,
  slug,
  toSlug,
  weightTable,
  wholeWeightsChanged,
} from '@siplb/contracts'
import type { z } from 'zod'

function problem(schema: z.ZodType, value: unknown): string {
  const parsed = schema.safeParse(value)
  return parsed.success
    ? ''
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
}

describe('an id', () => {
  it.each(['px1', '1', 'a-b', 'x'.repeat(32)])('may be %s', (id) => {
    expect(problem(slug, id)).toBe('')
  })

  it.each(['', 'Px1', '-a', 'a.b', 'a b', 'sip:a', 'x'.repeat(33), 'é'])('may not be "%s"', (id) => {
    expect(problem(slug, id)).toMatch(/must be a slug/)
  })

  it.each(['Host.Example.COM', '---', '', '漢字', '_x_'.repeat(30)])('can be made of "%s"', (text) => {
    expect(problem(slug, toSlug(text))).toBe('')
  })
})

describe("an event of a user's own program", () => {
  it('needs no more than what has no default', () => {
    expect(cloudEvent.parse({ specversion: '1.0', id: '1', type: 't', source: '/me', data: {} })).toBeTruthy()
    expect(responseTimeTaken.data.parse({ proxy: 'px1', responseTimeMs: 12.5 })).toEqual({
      proxy: 'px1',
      responseTimeMs: 12.5,
      outcome: 'answered',
      attempt: 1,
      doubtful: false,
    })
    expect(loadReported.data.parse({ proxy: 'px1', load: 0.4 })).toMatchObject({
      source: 'event',
      ageMs: 0,
      expiresInMs: 10_000,
    })
  })

  it('is a loss only when it says so', () => {
    expect(problem(responseTimeTaken.data, { proxy: 'px1', outcome: 'lost' })).toBe('')
    expect(problem(responseTimeTaken.data, { proxy: 'px1' })).toMatch(/^responseTimeMs: .*say outcome "lost"/)
  })

  it('may say more than we know', () => {
    expect(problem(loadReported.data, { proxy: 'px1', load: 1, unit: 'calls' })).toBe('')
  })

  it.each([
    { proxy: 'px1', load: 1.01 },
    { proxy: 'px1', load: -0.1 },
    { proxy: 'sip:px1', load: 0.5 },
    { proxy: 'px1', load: 0.5, expiresInMs: 0 },
    { load: 0.5 },
  ])('is refused as %j', (value) => {
    expect(problem(loadReported.data, value)).not.toBe('')
  })
})

describe('a command', () => {
  it('fills in what it leaves out', () => {
    expect(addProxy.request.parse({ pool: 'main', proxy: 'px1', uri: 'sip:10.0.0.1' })).toEqual({
      pool: 'main',
      proxy: 'px1',
      uri: 'sip:10.0.0.1',
      weight: 100,
      tier: 1,
      actor: 'unknown',
    })
  })

  it('names a SIP URI', () => {
    expect(problem(addProxy.request, { pool: 'main', proxy: 'px1', uri: '10.0.0.1' })).toMatch(
      /^uri: must be a SIP URI such as/,
    )
  })

  it.each(['sips:10.0.0.1;transport=udp', 'sip:10.0.0.1;transport=ws', 'sip:10.0.0.1:70000'])(
    'refuses %s, as the file does',
    (uri) => {
      expect(problem(addProxy.request, { pool: 'main', proxy: 'px1', uri })).toMatch(
        /^uri: (sips: is|must (name|have))[^\n]*$/,
      )
    },
  )

  it('returns to the declared weight only on purpose', () => {
    expect(problem(setProxy.request, { pool: 'main', proxy: 'px1', weight: null })).toBe('')
    expect(problem(setProxy.request, { pool: 'main', proxy: 'px1' })).toMatch(/^weight:/)
  })
})

it('a route question is bounded', () => {
  const facts = {
    id: '1',
    method: 'INVITE',
    requestUri: 'sip:a@b',
    callId: 'c',
    from: 'sip:x',
    to: 'sip:y',
    source: '10.0.0.1',
  }
  expect(problem(routeQuestion.request, { ingress: 'i1', requests: [facts] })).toBe('')
  expect(problem(routeQuestion.request, { ingress: 'i1', requests: Array.from({ length: 501 }, () => facts) })).toMatch(
    /^requests:/,
  )
  expect(problem(routeQuestion.request, { ingress: 'i1', requests: [{ ...facts, callId: 'c'.repeat(4097) }] })).toMatch(
    /callId/,
  )
})

it('a weight table refuses weights that are none', () => {
  const row = {
    id: 'px1',
    uri: 'sip:a',
    tier: 1,
    baseWeight: 100,
    weight: 50,
    prevWeight: 100,
    state: 'up',
    restricted: false,
    reason: 'load 90 %',
    signals: { load: 0.9 },
  }
  const table = {
    pool: 'main',
    epoch: 1,
    seq: 2,
    prevSeq: 1,
    writer: 'w1',
    policy: 'least-work',
    strict: false,
    panic: false,
    costs: { INVITE: 1 },
    proxies: [row],
  }
  expect(problem(weightTable, table)).toBe('')
  for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY, '50']) {
    expect(problem(weightTable, { ...table, proxies: [{ ...row, weight }] })).toMatch(/^proxies\.0\.weight:/)
  }
})

it('a table is newer by its epoch first, then by its number', () => {
  expect(compareRevisions({ epoch: 2, seq: 1 }, { epoch: 1, seq: 9 })).toBeGreaterThan(0)
  expect(compareRevisions({ epoch: 1, seq: 1 }, { epoch: 1, seq: 2 })).toBeLessThan(0)
  expect(compareRevisions({ epoch: 1, seq: 2 }, { epoch: 1, seq: 2 })).toBe(0)
})

describe('the configuration', () => {
  it('is complete but for a pool', () => {
    const { nats, probe } = config.parse({ pools: { main: {} } })
    expect({ nats, probe }).toMatchObject({ nats: { prefix: 'siplb.v1' }, probe: { intervalMs: 1000 } })
    expect(problem(config, {})).toMatch(/^pools: name at least one pool/)
  })

  it('takes one match value or many, and makes many of it', () => {
    const { pools } = config.parse({ pools: { main: { match: { domain: 'a.com', source: ['10.0.0.0/8', '::1'] } } } })
    expect(pools['main']?.match).toEqual({ domain: ['a.com'], source: ['10.0.0.0/8', '::1'] })
  })

  it.each([
    ['ingress.listen', { ingress: { listen: ['sctp://0.0.0.0:5060'] } }, /there are udp, tcp, tls, ws and wss/],
    ['a host name to listen on', { ingress: { listen: ['udp://localhost:5060'] } }, /must have a numeric address/],
    ['a short key', { ingress: { token: { key: 'short' } } }, /openssl rand -hex 32/],
    ['a network', { ingress: { trusted: ['10.0.0.0/33'] } }, /must be an address or network/],
    ['an unknown key', { probes: {} }, /Unrecognized key/],
    [
      'a proxy twice',
      {
        pools: {
          main: {
            proxies: [
              { id: 'a', uri: 'sip:a' },
              { id: 'a', uri: 'sip:b' },
            ],
          },
        },
      },
      /"a" is there twice/,
    ],
    [
      'kamailio without url',
      { pools: { main: { proxies: [{ id: 'a', uri: 'sip:a', load: { source: 'kamailio' } }] } } },
      /^pools\.main\.proxies\.0\.load\.url: is needed/,
    ],
  ])('refuses %s', (_, value, sentence) => {
    expect(problem(config, value)).toMatch(sentence)
  })
})

describe('wholeWeightsChanged', () => {
  const row = { id: 'px1', uri: 'sip:127.0.0.1', tier: 1, baseWeight: 100, weight: 50, prevWeight: 100 }
  const table = {
    ...{ pool: 'default', epoch: 1, seq: 2, prevSeq: 1, writer: 'weigher1', policy: 'least-work', strict: false },
    ...{ panic: false, costs: {}, proxies: [{ ...row, state: 'up', restricted: false, reason: 'load', signals: {} }] },
  }

  it('reads a table that is said whole as every other channel does', () => {
    expect(wholeWeightsChanged.data.parse(table)).toEqual(table)
    expect(wholeWeightsChanged.data.safeParse({ ...table, proxies: [{}] }).success).toBe(false)
  })

  it('reads only the head of one that is said in parts', () => {
    expect(wholeWeightsChanged.data.parse({ ...table, parts: 6 })).toEqual({ ...table, parts: 6, proxies: [] })
    expect(wholeWeightsChanged.data.safeParse({ ...table, parts: 6, epoch: -1 }).success).toBe(false)
  })

  it('reads nothing else', () => {
    for (const value of [undefined, null, 'parts', []])
      expect(wholeWeightsChanged.data.safeParse(value).success).toBe(false)
  })
})
