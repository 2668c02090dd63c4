import { z } from 'zod'

/** What a schema wants at each place: enough to find a setting by its name and to turn text into its value. */
export type Shape =
  | { readonly kind: 'group'; readonly keys: ReadonlyMap<string, Shape> }
  /** A group whose keys the user chooses, such as pools. */
  | { readonly kind: 'map'; readonly value: Shape }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'number' | 'boolean' | 'text' }

type JsonSchema = z.core.JSONSchema.BaseSchema

export function shapeOf(schema: z.ZodType): Shape {
  return fromJson(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
}

function fromJson(schema: JsonSchema): Shape {
  if (schema.anyOf !== undefined) return widest(schema.anyOf.map(fromJson))
  switch (schema.type) {
    case 'object':
      return objectShape(schema)
    case 'array':
      return { kind: 'list', item: isSchema(schema.items) ? fromJson(schema.items) : { kind: 'text' } }
    case 'number':
    case 'integer':
      return { kind: 'number' }
    case 'boolean':
      return { kind: 'boolean' }
    default:
      return { kind: 'text' }
  }
}

function objectShape({ properties, additionalProperties }: JsonSchema): Shape {
  if (isSchema(additionalProperties)) return { kind: 'map', value: fromJson(additionalProperties) }
  const keys = new Map<string, Shape>()
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (isSchema(value)) keys.set(key, fromJson(value))
  }
  return { kind: 'group', keys }
}

/** Of "one or many" the list: one is a list too. */
function widest(shapes: readonly Shape[]): Shape {
  return shapes.find((shape) => shape.kind === 'list') ?? shapes[0] ?? { kind: 'text' }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The shape at a path; undefined where the schema knows no such place. */
export function shapeAt(shape: Shape, path: readonly (string | number)[]): Shape | undefined {
  let here: Shape | undefined = shape
  for (const key of path) {
    if (here?.kind === 'group') here = here.keys.get(String(key))
    else if (here?.kind === 'map') here = here.value
    else if (here?.kind === 'list') here = here.item
    else return undefined
  }
  return here
}

/** A setting that has a value of its own and a fixed place, so that it can be given outside the file. */
export interface Setting {
  readonly path: readonly string[]
  readonly shape: Shape
}

export function settingsOf(shape: Shape, path: readonly string[] = []): Setting[] {
  if (shape.kind === 'map') return []
  if (shape.kind !== 'group') return [{ path, shape }]
  return [...shape.keys].flatMap(([key, value]) => settingsOf(value, [...path, key]))
}

/** The value that a text stands for. What cannot be converted stays text, and the schema then says what is wrong. */
export function fromText(text: string, shape: Shape): unknown {
  if (shape.kind === 'list') return text.split(',').map((item) => fromText(item.trim(), shape.item))
  if (shape.kind === 'boolean') return text === 'true' || (text === 'false' ? false : text)
  if (shape.kind === 'number') return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
  return text
}
