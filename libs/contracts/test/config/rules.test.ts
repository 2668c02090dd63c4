import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { config } from '@siplb/contracts'
import { formatProblem, loadConfig } from '@siplb/runtime'

const file = join(mkdtempSync(join(tmpdir(), 'siplb-rules-')), 'siplb.yaml')

/** What is wrong with a file of these contents, each with line and column. */
function problemsOf(text: string): string[] {
  writeFileSync(file, text)
  const loaded = loadConfig(config, { file, env: {} })
  return loaded.kind === 'loaded' ? [] : loaded.problems.map((one) => formatProblem(one).replace(`${file}:`, ''))
}

/** A file with these proxies in one pool. */
function withProxies(...proxies: string[]): string {
  return `pools:\n  main:\n    proxies:\n${proxies.map((proxy) => `      - ${proxy}\n`).join('')}`
}

const some = withProxies("{ id: a, uri: 'sip:10.0.0.1' }")

describe('a configuration without a pool', () => {
  it.each([
    ['an empty file', '', '1:1'],
    ['a file of comments', '# nothing yet\n', '1:1'],
    ['empty pools', 'log: { level: warn }\npools: {}\n', '2:1'],
    ['pools whose lines are all comments', 'pools:\n  # main: {}\n', '1:7'],
    ['no pools', 'probe: { intervalMs: 200 }\n', '1:1'],
  ])('is refused: %s', (_, text, place) => {
    expect(problemsOf(text)).toEqual([
      `${place}: pools: name at least one pool with its proxies; config/siplb.yaml is the sample`,
    ])
  })

  it('may have pools without proxies, which commands can add', () => {
    expect(problemsOf('pools: { main: {} }')).toEqual([])
  })

  it('is not what one that cannot be read has', () => {
    expect(problemsOf('pools: *none\n')).toEqual([expect.stringContaining('1:8: the alias *none has no anchor')])
    expect(problemsOf('probe: [\n').join()).not.toContain('pools')
  })

  it('is not what one with a wrong name has', () => {
    expect(problemsOf('pools: { MAIN: {} }')).toEqual([expect.stringContaining('pools.MAIN: must be a slug')])
  })
})

describe('proxies of one pool', () => {
  it('have an id each, which is told beside other problems too', () => {
    const text = `${withProxies("{ id: a, uri: 'sip:10.0.0.1' }", '{ id: a, uri: 5 }', '{ id: b }')}probes: 1\n`
    expect(problemsOf(text)).toEqual([
      '5:15: pools.main.proxies[1].id: "a" is there twice',
      '5:23: pools.main.proxies[1].uri: must be text',
      '6:9: pools.main.proxies[2].uri: is missing',
      '7:1: probes: is no key here (did you mean probe?)',
    ])
  })

  it('have an address each, however it is spelt', () => {
    expect(
      problemsOf(withProxies("{ id: a, uri: 'sip:10.0.0.1' }", "{ id: b, uri: 'sip:x@10.0.0.1:5060;lr' }")),
    ).toEqual([
      '5:23: pools.main.proxies[1].uri: 10.0.0.1:5060 is the address of a already; write it once, with the weight of both',
    ])
    expect(problemsOf(withProxies("{ id: a, uri: 'sip:10.0.0.1' }", "{ id: b, uri: 'sip:10.0.0.1:5061' }"))).toEqual([])
  })

  it('may be the same as those of another pool', () => {
    const pools = `pools:
  fax: { match: { userPrefix: '9' }, proxies: [{ id: a, uri: 'sip:10.0.0.1' }] }
  rest: { proxies: [{ id: a, uri: 'sip:10.0.0.1' }] }
`
    expect(problemsOf(pools)).toEqual([])
  })
})

describe('a proxy that is the ingress itself', () => {
  it.each([
    ['udp://10.0.0.1:5060', 'sip:10.0.0.1'],
    ['udp://0.0.0.0:5060', 'sip:127.0.0.1:5060'],
    ['udp://0.0.0.0:5060', 'sip:localhost'],
    ['udp://[::]:5070', 'sip:[::1]:5070'],
  ])('is refused: listening on %s, %s', (listen, uri) => {
    const text = `ingress: { listen: ['${listen}'] }\n${withProxies(`{ id: a, uri: '${uri}' }`)}`
    expect(problemsOf(text)).toEqual([
      `5:23: pools.main.proxies[0].uri: is the ingress itself, which listens on ${listen}`,
    ])
  })

  it.each([
    ['udp://10.0.0.1:5060', 'sip:10.0.0.1:5061'],
    ['udp://10.0.0.1:5060', 'sip:10.0.0.11:5060'],
    ['udp://0.0.0.0:5060', 'sip:10.0.0.1'],
  ])('is not: listening on %s, %s', (listen, uri) => {
    expect(problemsOf(`ingress: { listen: ['${listen}'] }\n${withProxies(`{ id: a, uri: '${uri}' }`)}`)).toEqual([])
  })
})

describe('a pool behind one that takes every request', () => {
  it('is refused, for it takes none', () => {
    expect(problemsOf('pools:\n  all: {}\n  fax: { match: { method: INVITE } }\n')).toEqual([
      '3:3: pools.fax: takes no request, for all before it takes all: put that pool last, or give it a match',
    ])
    expect(problemsOf('pools:\n  fax: { match: { method: INVITE } }\n  all: {}\n')).toEqual([])
  })

  it('has its use where its own proxies may call out', () => {
    expect(problemsOf("pools:\n  all: {}\n  trunk: { outbound: ['sip:10.0.0.9'] }\n")).toEqual([])
  })
})

describe('what cannot be sent to, or listened on', () => {
  it.each([
    ['sips:10.0.0.1;transport=udp', 'sips: is reached by TLS alone: leave ;transport=udp out, or write sip:'],
    [
      'sip:10.0.0.1;transport=WS',
      'must name a transport that proxies are reached by: ;transport=udp, tcp or tls, or none for udp',
    ],
    ['sip:10.0.0.1:70000', 'must have a host, and no port or one from 1 to 65535: sip:10.0.0.11:5060'],
    ['sip:10.0.0.1:0', 'must have a host, and no port or one from 1 to 65535: sip:10.0.0.11:5060'],
    ['sip:px@', 'must have a host, and no port or one from 1 to 65535: sip:10.0.0.11:5060'],
    ['10.0.0.1', 'must be a SIP URI such as sip:10.0.0.11:5060'],
  ])('is refused: %s', (uri, message) => {
    expect(problemsOf(withProxies(`{ id: a, uri: '${uri}' }`))).toEqual([`4:23: pools.main.proxies[0].uri: ${message}`])
  })

  it.each(['sip:px.example', 'sip:px_1:5070', 'sip:[2001:db8::1]:5070;transport=UDP', 'sip:user:pw@10.0.0.1;lr'])(
    'is not: %s',
    (uri) => expect(problemsOf(withProxies(`{ id: a, uri: '${uri}' }`))).toEqual([]),
  )

  it.each(['udp://0.0.0.0:70000', 'udp://300.0.0.1:5060', 'udp://[::zz]:5060', 'udp://::1:5060', 'udp://0.0.0.0'])(
    'is refused to listen on: %s',
    (listen) => {
      expect(problemsOf(`ingress: { listen: ['${listen}'] }\n${some}`)).toEqual([
        '1:21: ingress.listen[0]: must have a numeric address and a port up to 65535: udp://0.0.0.0:5060 or udp://[::]:5060',
      ])
    },
  )

  it('has its methods in capitals', () => {
    expect(problemsOf('pools: { main: { match: { method: [INVITE, Bye] } } }')).toEqual([
      '1:44: pools.main.match.method[1]: must be a method in capitals, such as INVITE',
    ])
    expect(problemsOf('pools: { main: { match: { method: invite } } }')).toEqual([
      '1:35: pools.main.match.method: must be a method in capitals, such as INVITE',
    ])
  })
})

it.each(['7xx', 'foo', 99])('tells what a code of a living proxy looks like, not %s', (code) => {
  const wrong = 'must be a final status such as 404, or a class such as 4xx'
  expect(problemsOf(`probe: { aliveCodes: [2xx, ${code}] }\n${some}`)).toEqual([`1:28: probe.aliveCodes[1]: ${wrong}`])
})
