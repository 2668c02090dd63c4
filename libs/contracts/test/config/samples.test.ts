import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { config, configSections, type Config } from '@siplb/contracts'
import { formatProblem, loadConfig } from '@siplb/runtime'

const folder = join(import.meta.dirname, '../../../../config')
const sample = readFileSync(join(folder, 'siplb.yaml'), 'utf8')

function load(file: string): Config {
  const loaded = loadConfig(config, { file, env: {} })
  if (loaded.kind === 'loaded') return loaded.config
  throw new Error(loaded.problems.map(formatProblem).join('\n'))
}

/** The sample with everything said that it leaves out: each `#key` uncommented. */
const wholeSample = sample.replaceAll(/^(\s*)#((?: {2})*\w+:)/gm, '$1$2')

describe('the sample configuration', () => {
  it('says of each key its default', () => {
    const { pools, ...rest } = load(join(folder, 'siplb.yaml'))
    const { pools: _, ...defaults } = configSections.parse({})
    expect(rest).toEqual(defaults)
    const { proxies, ...pool } = pools['default'] ?? {}
    expect({ ...pool, proxies: [] }).toEqual(config.parse({ pools: { default: {} } }).pools['default'])
    expect(proxies?.[1]).toMatchObject({ weight: 100, tier: 1 })
  })

  it('holds every key of the schema', () => {
    const json: unknown = z.toJSONSchema(config, { io: 'input' })
    expect(keysMissing(json, parse(wholeSample), '')).toEqual([])
  })

  it('is right too with everything uncommented', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'siplb-sample-')), 'siplb.yaml')
    writeFileSync(file, wholeSample)
    expect(load(file).nats.tls?.caFile).toBe('/etc/siplb/ca.pem')
  })
})

it.each(['demo.yaml', 'compose.yaml'])('%s is right', (name) => {
  expect(load(join(folder, name)).pools['default']?.proxies.map(({ id }) => id)).toEqual(['px1', 'px2', 'px3'])
})

/** The paths of a schema's keys that a value does not have; of a list one entry must have them. */
function keysMissing(schema: unknown, value: unknown, path: string): string[] {
  if (!isRecord(schema)) return []
  if (Array.isArray(value)) return keysMissing(schema['items'], value[0], `${path}[]`)
  const keys = isRecord(schema['properties']) ? Object.entries(schema['properties']) : []
  const missing = keys.flatMap(([key, inner]) => {
    if (!isRecord(value) || !(key in value)) return [`${path}.${key}`]
    return keysMissing(inner, value[key], `${path}.${key}`)
  })
  const chosen = isRecord(value) && isRecord(schema['additionalProperties']) ? Object.values(value)[0] : undefined
  return [...missing, ...(chosen === undefined ? [] : keysMissing(schema['additionalProperties'], chosen, `${path}.*`))]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
