import { stringify } from 'yaml'
import { z } from 'zod'

const MASK = '***'

/** A configuration as a file would hold it, with every default. */
export function configText(config: unknown): string {
  return stringify(config)
}

/** The same configuration without its secrets: the values that the schema marks `writeOnly`, and passwords in addresses. */
export function withoutSecrets<T>(schema: z.ZodType<T>, config: T): unknown {
  return masked(config, z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
}

function masked(value: unknown, schema: unknown): unknown {
  if (isRecord(schema) && schema['writeOnly'] === true) return MASK
  if (typeof value === 'string') return value.replace(/^(\w+:\/\/[^/@\s]*?):[^/@\s]*@/, `$1:${MASK}@`)
  if (Array.isArray(value)) return value.map((item: unknown) => masked(item, inner(schema, 'items')))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      masked(one, inner(inner(schema, 'properties'), key) ?? inner(schema, 'additionalProperties')),
    ]),
  )
}

function inner(schema: unknown, key: string): unknown {
  return isRecord(schema) ? schema[key] : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
