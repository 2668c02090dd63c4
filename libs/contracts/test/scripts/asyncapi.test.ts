import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { eventChannels, requestChannels } from '@siplb/contracts'
import { asyncApiText } from '../../scripts/asyncapi.ts'
import { nameOf, schemaFiles } from '../../scripts/json-schemas.ts'

describe('the AsyncAPI document', () => {
  const document: unknown = parse(asyncApiText())

  it('has every channel under its subject', () => {
    expect(document).toMatchObject({ asyncapi: '3.0.0', info: { title: 'siplb' } })
    for (const { address } of [...eventChannels, ...requestChannels]) {
      expect(document).toHaveProperty(['channels', nameOf(address), 'address'], `siplb.v1.${address}`)
    }
  })

  it('has an operation for every channel', () => {
    for (const { address } of eventChannels) expect(document).toHaveProperty(['operations', `send.${nameOf(address)}`])
    for (const { address } of requestChannels)
      expect(document).toHaveProperty(['operations', `receive.${nameOf(address)}`])
  })

  it('says that weights are asked of any one weigher', () => {
    expect(document).toHaveProperty(['operations', 'receive.req.weights.pool', 'bindings', 'nats', 'queue'], 'weigher')
  })

  it('wraps what an event says in a CloudEvents envelope', () => {
    expect(document).toHaveProperty(
      ['components', 'schemas', 'evt.load.pool', 'properties', 'type', 'const'],
      'siplb.load.v1',
    )
    expect(document).toHaveProperty([
      'components',
      'schemas',
      'evt.load.pool',
      'properties',
      'data',
      'properties',
      'load',
    ])
  })

  it('refers to nothing that is not there', () => {
    const references = [...asyncApiText().matchAll(/\$ref: "#\/([^"]+)"/g)].map(([, path = '']) => path.split('/'))
    expect(references.length).toBeGreaterThan(50)
    for (const path of references) expect(document).toHaveProperty(path)
  })
})

describe('the schema files', () => {
  const files = schemaFiles()

  it('are there for every event, request and reply, every stored table and the configuration', () => {
    expect(files.size).toBe(eventChannels.length + 2 * requestChannels.length + 3 + 1)
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['evt.load.pool.json', 'req.route.reply.json', 'table.weights.json', 'config.json']),
    )
  })

  it('are JSON Schema 2020-12', () => {
    for (const text of files.values()) {
      expect(JSON.parse(text)).toMatchObject({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: expect.any(String),
      })
    }
  })

  it('are the same whenever they are made', () => {
    expect([...schemaFiles()]).toEqual([...files])
  })
})
