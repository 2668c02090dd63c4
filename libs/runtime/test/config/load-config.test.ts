import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { formatProblem, loadConfig, type ConfigSource } from '@siplb/runtime'

const network = z.union([z.cidrv4(), z.ipv4()], { error: 'must be an address or network' })

const pool = z
  .strictObject({
    policy: z.enum(['least-work', 'two-choices']).default('least-work'),
    methods: z.union([z.string(), z.array(z.string())]).optional(),
    proxies: z
      .array(
        z.strictObject({
          id: z.string(),
          uri: z.string().startsWith('sip:', 'must be a SIP URI'),
          weight: z.number().min(0).default(100),
        }),
      )
      .default([]),
  })
  .superRefine(
    ({ proxies }, ctx) => {
      if (proxies.length > 1 && proxies[0]?.id === proxies[1]?.id) {
        ctx.addIssue({ code: 'custom', path: ['proxies', 1, 'id'], message: 'is there twice' })
      }
    },
    { when: () => true },
  )

const schema = z.strictObject({
  probe: z
    .strictObject({ intervalMs: z.int().min(50).default(1000), from: z.string().default('sip:probe@localhost') })
    .prefault({}),
  nats: z
    .strictObject({
      servers: z.array(z.string().regex(/^nats:/, 'must be a NATS address')).optional(),
      password: z.string().optional(),
      credentialsFile: z.string().optional(),
      tls: z.strictObject({ caFile: z.string().optional() }).optional(),
    })
    .prefault({}),
  trusted: z.array(network).default([]),
  isLoud: z.boolean().default(false),
  pools: z.record(z.string().regex(/^[a-z]+$/, 'must be a slug'), pool).prefault({}),
})

const folder = mkdtempSync(join(tmpdir(), 'siplb-config-'))

function fileOf(text: string, name = 'siplb.yaml'): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function load(source: Partial<ConfigSource>) {
  return loadConfig(schema, { env: {}, ...source })
}

function configOf(source: Partial<ConfigSource>) {
  const loaded = load(source)
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.config
}

function problemsOf(source: Partial<ConfigSource>): string[] {
  const loaded = load(source)
  return loaded.kind === 'loaded'
    ? []
    : loaded.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''))
}

describe('a configuration file', () => {
  it('fills what it leaves out with defaults', () => {
    const file = fileOf('probe:\n  intervalMs: 200\n')
    expect(load({ file })).toMatchObject({ kind: 'loaded', file })
    expect(configOf({ file }).probe).toEqual({ intervalMs: 200, from: 'sip:probe@localhost' })
  })

  it('may be left out, be empty, or have sections whose lines are all comments', () => {
    expect(configOf({}).probe.intervalMs).toBe(1000)
    expect(configOf({ file: fileOf('# nothing yet\n') }).probe.intervalMs).toBe(1000)
    expect(configOf({ file: fileOf('probe:\n  # intervalMs: 5\nnats:\n') }).nats).toEqual({})
  })

  it('that is not there is a problem', () => {
    expect(problemsOf({ file: join(folder, 'none.yaml') })).toEqual(['none.yaml: is not there'])
    expect(problemsOf({ file: folder })[0]).toMatch(/is a folder/)
  })

  it('says all that is wrong in one run, each with its place and with what was probably meant', () => {
    const file = fileOf(`probes: 1
probe:
  intervalMs: 10
  form: sip:x@y
nats:
  servers: nats://a
  tls: { caFile: 5 }
trusted: [10.0.0.0/8, nonsense]
isLoud: perhaps
pools:
  Main: {}
  main:
    policy: two-choice
    proxies:
      - { id: a, uri: 'tel:1' }
      - id: b
        weight: heavy
`)
    expect(problemsOf({ file })).toEqual([
      'siplb.yaml:1:1: probes: is no key here (did you mean probe?)',
      'siplb.yaml:3:15: probe.intervalMs: must be at least 50',
      'siplb.yaml:4:3: probe.form: is no key here (did you mean from?)',
      'siplb.yaml:6:12: nats.servers: must be a list',
      'siplb.yaml:7:18: nats.tls.caFile: must be text',
      'siplb.yaml:8:23: trusted[1]: must be an address or network',
      'siplb.yaml:9:9: isLoud: must be true or false',
      'siplb.yaml:11:3: pools.Main: must be a slug',
      'siplb.yaml:13:13: pools.main.policy: must be one of least-work, two-choices (did you mean two-choices?)',
      'siplb.yaml:15:23: pools.main.proxies[0].uri: must be a SIP URI',
      'siplb.yaml:16:9: pools.main.proxies[1].uri: is missing',
      'siplb.yaml:17:17: pools.main.proxies[1].weight: must be a number',
    ])
  })

  it('tells rules that join several values although another value has the wrong type', () => {
    const file = fileOf(`pools:
  main:
    policy: 5
    proxies:
      - { id: a, uri: 'sip:a' }
      - { id: a, uri: 5 }
`)
    expect(problemsOf({ file })).toEqual([
      'siplb.yaml:3:13: pools.main.policy: must be one of least-work, two-choices',
      'siplb.yaml:6:15: pools.main.proxies[1].id: is there twice',
      'siplb.yaml:6:23: pools.main.proxies[1].uri: must be text',
    ])
  })

  it('has each key once', () => {
    const file = fileOf('probe:\n  intervalMs: 100\n  intervalMs: 10\n')
    expect(problemsOf({ file })).toEqual([
      'siplb.yaml:3:3: this key is there twice',
      'siplb.yaml:3:15: probe.intervalMs: must be at least 50',
    ])
  })

  it('with broken syntax is told with its place, and what stands before it is checked', () => {
    const problems = problemsOf({ file: fileOf('isLoud: 5\nprobe: { intervalMs: 100\nnats:\n  servers: []\n') })
    expect(problems[0]).toBe('siplb.yaml:1:9: isLoud: must be true or false')
    expect(problems[1]).toMatch(/^siplb\.yaml:[234]:\d+: /)
    expect(problems.slice(1).every((problem) => !problem.includes('nats'))).toBe(true)
  })

  it('names the known keys where none is near', () => {
    const file = fileOf('probe:\n  zzzzzz: 1\n')
    expect(problemsOf({ file })).toEqual(['siplb.yaml:2:3: probe.zzzzzz: is no key here; there is intervalMs, from'])
  })

  it('is told as a whole when it is no group of settings', () => {
    expect(problemsOf({ file: fileOf('- a\n- b\n') })).toEqual(['siplb.yaml:1:1: must be a group of settings'])
  })

  it('may use anchors, and an alias is followed to the place of its value', () => {
    const file = fileOf('pools:\n  a: &same\n    policy: wrong\n  b: *same\n')
    expect(problemsOf({ file })).toEqual([
      'siplb.yaml:3:13: pools.a.policy: must be one of least-work, two-choices',
      'siplb.yaml:3:13: pools.b.policy: must be one of least-work, two-choices',
    ])
  })

  it('that blows itself up by aliases is refused', () => {
    const doubling = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`)
    expect(problemsOf({ file: fileOf(`a0: &a0 [1]\n${doubling.join('\n')}\n`) })[0]).toMatch(
      /^siplb\.yaml:2:10: has too many aliases .*: write the values out$/,
    )
  })

  it('with an alias that has no anchor is told with its place', () => {
    expect(problemsOf({ file: fileOf('pools:\n  a: *none\n') })).toEqual([
      'siplb.yaml:2:6: the alias *none has no anchor before it: write &none where the value is first',
    ])
  })

  it('is one document', () => {
    expect(problemsOf({ file: fileOf('isLoud: true\n---\nisLoud: false\n') })).toEqual([
      'siplb.yaml:2:1: a second document begins here: one file is one configuration, so take the --- out',
    ])
  })
})

describe('the environment', () => {
  it('overrides the file, each value as the schema wants it', () => {
    const file = fileOf('probe: { intervalMs: 200 }\nisLoud: false\n')
    const env = {
      SIPLB_PROBE__INTERVAL_MS: '300',
      SIPLB_IS_LOUD: 'true',
      SIPLB_NATS__SERVERS: 'nats://a:1, nats://b:2',
      SIPLB_NATS__PASSWORD: '0815',
    }
    expect(configOf({ file, env })).toMatchObject({
      probe: { intervalMs: 300 },
      isLoud: true,
      nats: { servers: ['nats://a:1', 'nats://b:2'], password: '0815' },
    })
  })

  it('is overridden by a flag', () => {
    const env = { SIPLB_PROBE__INTERVAL_MS: '300' }
    expect(configOf({ env, overrides: { 'probe.intervalMs': '400' } }).probe.intervalMs).toBe(400)
  })

  it('gives secrets by the name of a file, less the line end', () => {
    const secret = fileOf('s3cret\n', 'password')
    expect(configOf({ env: { SIPLB_NATS__PASSWORD_FILE: secret } }).nats.password).toBe('s3cret')
    expect(problemsOf({ env: { SIPLB_NATS__PASSWORD_FILE: join(folder, 'gone') } })[0]).toMatch(
      /^SIPLB_NATS__PASSWORD_FILE: nats\.password: the file .* cannot be read$/,
    )
    expect(problemsOf({ env: { SIPLB_NATS__PASSWORD_FILE: secret, SIPLB_NATS__PASSWORD: 'x' } })).toHaveLength(1)
  })

  it('takes a key that itself ends in File as it stands', () => {
    const env = { SIPLB_NATS__CREDENTIALS_FILE: '/run/user.creds', SIPLB_NATS__TLS__CA_FILE: '/run/ca.pem' }
    expect(configOf({ env }).nats).toEqual({ credentialsFile: '/run/user.creds', tls: { caFile: '/run/ca.pem' } })
  })

  it('says which variable is wrong', () => {
    expect(
      problemsOf({ env: { SIPLB_PROBE__INTERVAL_MS: 'often', SIPLB_NATS__SERVERS: 'nats://a,http://b' } }),
    ).toEqual([
      'SIPLB_PROBE__INTERVAL_MS: probe.intervalMs: must be a number',
      'SIPLB_NATS__SERVERS: nats.servers[1]: must be a NATS address',
    ])
  })

  it('knows all variables of our name', () => {
    expect(problemsOf({ env: { SIPLB_PROBE_INTERVAL_MS: '5', SIPLB_POOLS__MAIN__POLICY: 'two-choices' } })).toEqual([
      'SIPLB_PROBE_INTERVAL_MS: is no setting (did you mean SIPLB_PROBE__INTERVAL_MS?)',
      'SIPLB_POOLS__MAIN__POLICY: pools: can be given in the file only',
    ])
  })

  it('may hold what is no setting but of our name, what is empty, and what is of others', () => {
    const env = {
      SIPLB_CONFIG: 'a.yaml',
      SIPLB_PROTOS_DIR: '/p',
      SIPLB_NATS_INGRESS_PASSWORD: 'x',
      SIPLB_PROBE__INTERVAL_MS: '',
      PATH: '/bin',
    }
    expect(problemsOf({ env })).toEqual([])
  })
})

it('a flag that is no setting is told with what was probably meant', () => {
  expect(problemsOf({ overrides: { 'probe.interval': '5', 'pools.main.policy': 'x' } })).toEqual([
    '--set: probe.interval: is no setting (did you mean probe.intervalMs?)',
    '--set: pools.main.policy: can be given in the file only',
  ])
})
