import {
  cloudEvent,
  config,
  eventChannels,
  leasesTable,
  proxiesTable,
  requestChannels,
  weightsTable,
  type EventChannel,
} from '@siplb/contracts'
import { z } from 'zod'

/** `draft-7` is what AsyncAPI tools understand. */
export type Target = 'draft-2020-12' | 'draft-7'

export const tables = [weightsTable, proxiesTable, leasesTable] as const

/** What a sender must say; what has a default may be left out. */
export function jsonSchema(schema: z.ZodType, target: Target): object {
  return z.toJSONSchema(schema, { io: 'input', target })
}

/** A whole event: the CloudEvents envelope with the channel's type and data. */
export function eventSchema(channel: EventChannel<unknown>): z.ZodType {
  return cloudEvent.extend({ type: z.literal(channel.type), data: channel.data })
}

/** An address as a name: `evt.weights.changed.{pool}` → `evt.weights.changed.pool`. */
export function nameOf(address: string): string {
  return address.replaceAll(/[{}]/g, '')
}

/** The JSON Schema of every message, of the configuration and of every stored value, by file name. */
export function schemaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  const add = (name: string, description: string, schema: z.ZodType) => {
    const { $schema, ...rest } = { $schema: '', ...jsonSchema(schema, 'draft-2020-12') }
    files.set(`${name}.json`, `${JSON.stringify({ $schema, title: name, description, ...rest }, null, 2)}\n`)
  }
  add('config', 'The configuration file.', config)
  for (const channel of eventChannels) add(nameOf(channel.address), channel.summary, eventSchema(channel))
  for (const { address, summary, request, reply } of requestChannels) {
    add(`${nameOf(address)}.request`, summary, request)
    add(`${nameOf(address)}.reply`, `The answer to: ${summary}`, reply)
  }
  for (const { name, summary, value } of tables) add(`table.${name}`, `A value of the stored table: ${summary}.`, value)
  return files
}
