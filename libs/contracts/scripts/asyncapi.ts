import {
  batchContentType,
  batchLimits,
  bucketName,
  eventChannels,
  eventContentType,
  loadReported,
  natsConfig,
  proxyAnnounced,
  requestChannels,
  responseTimeTaken,
  streamName,
  streams,
  type EventChannel,
  type RequestChannel,
} from '@siplb/contracts'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { eventSchema, jsonSchema, nameOf, tables } from './json-schemas.ts'

type Json = Readonly<Record<string, unknown>>

const { prefix } = natsConfig.parse({})

// Any program may publish these; all others come from the services alone.
const open: readonly string[] = [responseTimeTaken.address, loadReported.address, proxyAnnounced.address]

const introduction = `What the services of siplb say to each other and to other systems over NATS. Written from the side of siplb: what it
sends you may hear, what it receives you may send.

Subjects start with \`${prefix}\`, which \`nats.prefix\` of the configuration changes. Events are CloudEvents 1.0 in structured
JSON mode: one event, content type \`${eventContentType}\`, or a batch of at most ${batchLimits.events} events and
${batchLimits.bytes / 1024} KiB, content type \`${batchContentType}\`. A message without the header is told by its first
byte: \`{\` one event, \`[\` a batch. Fields may be added at any time: ignore what you do not know.

Requests and replies are plain JSON. A refusal is an empty reply with the headers \`Nats-Service-Error\` (why, in words) and
\`Nats-Service-Error-Code\` (as in HTTP: 400, 404, 409, …).`

/** The AsyncAPI 3.0 document of everything said on the bus, as YAML. */
export function asyncApiText(): string {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'siplb',
      // That of the subjects: it rises when one of them changes its meaning, and then they are siplb.v2.
      version: '1.0.0',
      description: introduction,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: {
        host: '127.0.0.1:4222',
        protocol: 'nats',
        description: 'Any NATS server; for the stores with JetStream.',
      },
    },
    channels: { ...merged(eventChannels.map(eventChannelOf)), ...merged(requestChannels.map(requestChannelOf)) },
    operations: { ...merged(eventChannels.map(eventOperations)), ...merged(requestChannels.map(requestOperation)) },
    components: {
      schemas: {
        ...merged(eventChannels.map(eventSchemas)),
        ...merged(requestChannels.map(requestSchemas)),
        ...tableSchemas(),
      },
    },
    'x-tables': merged(tables.map((spec) => ({ [bucketName(prefix, spec)]: tableOf(spec.name, spec.summary) }))),
    'x-streams': merged(Object.values(streams).map((spec) => ({ [streamName(prefix, spec)]: streamOf(spec) }))),
  }
  return `# Made by \`npm run contracts\` from libs/contracts: change it there.\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function eventChannelOf({ address, type, summary }: EventChannel<unknown>): Json {
  const name = nameOf(address)
  const message = (contentType: string, payload: Json) => ({ name: type, contentType, payload })
  return {
    [name]: {
      ...addressOf(address),
      summary,
      messages: {
        event: message(eventContentType, schemaRef(name)),
        batch: message(batchContentType, { type: 'array', maxItems: batchLimits.events, items: schemaRef(name) }),
      },
    },
  }
}

function eventOperations({ address, summary }: EventChannel<unknown>): Json {
  const name = nameOf(address)
  const operation = (action: 'send' | 'receive') => ({ action, channel: { $ref: `#/channels/${name}` }, summary })
  const sent = { [`send.${name}`]: operation('send') }
  return open.includes(address) ? { ...sent, [`receive.${name}`]: operation('receive') } : sent
}

function requestChannelOf({ address, summary }: RequestChannel<unknown, unknown>): Json {
  const name = nameOf(address)
  return {
    [name]: {
      ...addressOf(address),
      summary,
      messages: { request: { name: `${name}.request`, payload: schemaRef(`${name}.request`) } },
    },
    [`${name}.reply`]: {
      address: null,
      summary: 'The reply subject of the request.',
      messages: { reply: { name: `${name}.reply`, headers: refusalHeaders, payload: schemaRef(`${name}.reply`) } },
    },
  }
}

const refusalHeaders = {
  type: 'object',
  properties: {
    'Nats-Service-Error': { type: 'string', description: 'Only of a refusal, whose payload is empty: why.' },
    'Nats-Service-Error-Code': { type: 'string', description: 'Only of a refusal: 400, 404, 409, …' },
  },
}

function requestOperation({ address, summary, queueGroup }: RequestChannel<unknown, unknown>): Json {
  const name = nameOf(address)
  return {
    [`receive.${name}`]: {
      action: 'receive',
      channel: { $ref: `#/channels/${name}` },
      summary,
      reply: { address: { location: '$message.header#/reply' }, channel: { $ref: `#/channels/${name}.reply` } },
      ...(queueGroup === undefined ? {} : { bindings: { nats: { queue: queueGroup, bindingVersion: '0.1.0' } } }),
    },
  }
}

function addressOf(address: string): Json {
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const parameters = merged(names.map((name) => ({ [name]: { description: `The ${name}, a slug.` } })))
  return { address: `${prefix}.${address}`, ...(names.length === 0 ? {} : { parameters }) }
}

function eventSchemas(channel: EventChannel<unknown>): Json {
  return { [nameOf(channel.address)]: draft7(eventSchema(channel)) }
}

function requestSchemas({ address, request, reply }: RequestChannel<unknown, unknown>): Json {
  return { [`${nameOf(address)}.request`]: draft7(request), [`${nameOf(address)}.reply`]: draft7(reply) }
}

function tableSchemas(): Json {
  return merged(tables.map(({ name, value }) => ({ [`table.${name}`]: draft7(value) })))
}

function draft7(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = { $schema: '', ...jsonSchema(schema, 'draft-7') }
  return rest
}

function tableOf(name: string, summary: string): Json {
  return { summary, value: schemaRef(`table.${name}`) }
}

function streamOf({ addresses, maxAgeMs, maxBytes }: (typeof streams)[keyof typeof streams]): Json {
  return { subjects: addresses.map((address) => `${prefix}.${address}`), maxAgeMs, maxBytes }
}

function schemaRef(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

function merged(parts: readonly Json[]): Json {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}
