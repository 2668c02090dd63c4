import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { siplb } from './siplb.ts'

const folder = mkdtempSync(join(tmpdir(), 'siplb-cli-'))

function fileOf(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

it('checks a configuration, and says with exit code 2 all that is wrong', async () => {
  const good = fileOf('good.yaml', 'pools: { main: { proxies: [{ id: px1, uri: "sip:10.0.0.1" }] } }\n')
  expect(await siplb(['config', 'check', good])).toMatchObject({
    code: 0,
    stdout: `${good}: good; pools: main; proxies: 1\n`,
  })
  const bad = fileOf('bad.yaml', 'probe:\n  intervalMs: 1\nweight: {}\npools: { main: {} }\n')
  expect(await siplb(['config', 'check', bad])).toEqual({
    code: 2,
    stdout: '',
    stderr: `${bad}:2:15: probe.intervalMs: must be at least 50\n${bad}:3:1: weight: is no key here (did you mean weights?)\n`,
  })
})

it('tells programs what is wrong as JSON, with the place', async () => {
  const bad = fileOf('empty.yaml', 'pools: {}\n')
  const { code, stdout } = await siplb(['config', 'check', bad, '-o', 'json'])
  expect(code).toBe(2)
  const message = 'name at least one pool with its proxies; config/siplb.yaml is the sample'
  expect(JSON.parse(stdout)).toEqual({
    file: bad,
    problems: [{ file: bad, line: 1, column: 1, path: 'pools', message }],
  })
})

it('prints the configuration that takes effect, without its secrets', async () => {
  const key = 'k'.repeat(40)
  const file = fileOf(
    'secret.yaml',
    `ingress: { token: { key: ${key} } }\nnats: { servers: ['nats://me:pass@host'] }\npools: { main: {} }\n`,
  )
  const { code, stdout } = await siplb(['config', 'print', file, '-o', 'json'], {
    SIPLB_NATS__PASSWORD: 'hidden',
    SIPLB_PROBE__INTERVAL_MS: '750',
  })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    nats: { servers: ['nats://me:***@host'], password: '***', prefix: 'siplb.v1' },
    ingress: { token: { key: '***' } },
    probe: { intervalMs: 750, timeoutMs: 500 },
  })
})

it('says that the bus is not to be reached, and how to say where it is', async () => {
  expect(await siplb(['weights', '--nats', 'nats://127.0.0.1:1'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^NATS at nats:\/\/127\.0\.0\.1:1 is not to be reached .*--nats URL or SIPLB_NATS__SERVERS\n$/,
    ),
  })
})

it('calls a wrong address of the bus by the option that gave it', async () => {
  expect(await siplb(['weights', '--nats', 'http://a'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/\n--nats: nats\.servers\[0\]: must be a NATS address/),
  })
})
