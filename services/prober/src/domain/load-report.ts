/**
 * What a proxy says of its load in the answer to a probe.
 *
 * A header, by default `SIP-Load`: `0.42`, `42%`, or parameters: `load=0.42`, `active=17;capacity=200`. A JSON body:
 * `{"load":0.42}` or `{"active":17,"capacity":200}`. `active` counts transactions without a final answer.
 */
export type LoadReport =
  | { readonly kind: 'load'; readonly load: number; readonly details: Figures }
  | {
      readonly kind: 'active'
      readonly active: number
      readonly capacity: number | undefined
      /** Load 0…1 by another measure, such as the processor: what is fuller counts. */
      readonly atLeast?: number
      readonly details: Figures
    }

/** The raw figures, by name. */
export type Figures = Readonly<Record<string, number>>

/** A longer header or body says something else. */
const LIMITS = { headerOctets: 512, bodyOctets: 2048, figures: 16 }
const NUMBER = /^\d{1,15}(\.\d{1,20})?$/
const PERCENTAGE = /^(\d{1,3}(?:\.\d{1,20})?)%$/
/** Starts with a letter: no name can mean anything to an object. */
const NAME = /^[a-z][a-z0-9_.-]{0,63}$/

/** Undefined when no load can be read from it. */
export function parseLoadHeader(value: string): LoadReport | undefined {
  if (value.length > LIMITS.headerOctets) return undefined
  const text = value.trim()
  if (!text.includes('=')) return ofLoad(parseShare(text), {})
  const params = new Map<string, string>()
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) params.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim())
  }
  const figures = [...params].flatMap(([name, raw]): [string, number][] => {
    return NUMBER.test(raw) ? [[name, Number(raw)]] : []
  })
  const share = params.get('load')
  return share === undefined ? ofActive(asFigures(figures)) : ofLoad(parseShare(share), asFigures(figures))
}

/** Undefined when no load can be read from it. */
export function parseLoadBody(body: Buffer): LoadReport | undefined {
  if (body.length > LIMITS.bodyOctets) return undefined
  const parsed = parseObject(body.toString('utf8'))
  if (parsed === undefined) return undefined
  const figures = asFigures(
    Object.entries(parsed).flatMap(([name, value]): [string, number][] => {
      return typeof value === 'number' && value >= 0 ? [[name, value]] : []
    }),
  )
  return 'load' in parsed ? ofLoad(within(figures['load']), figures) : ofActive(figures)
}

function ofLoad(load: number | undefined, details: Figures): LoadReport | undefined {
  return load === undefined ? undefined : { kind: 'load', load, details }
}

function ofActive(details: Figures): LoadReport | undefined {
  const { active, capacity } = details
  if (active === undefined || capacity === 0) return undefined
  return { kind: 'active', active, capacity, details }
}

/** `0.42` or `42%`. A bare 42 could be either a percentage or a load average: not guessed at. */
function parseShare(text: string): number | undefined {
  const percentage = PERCENTAGE.exec(text)?.[1]
  if (percentage !== undefined) return Math.min(1, Number(percentage) / 100)
  return NUMBER.test(text) ? within(Number(text)) : undefined
}

function within(load: number | undefined): number | undefined {
  return load !== undefined && load >= 0 && load <= 1 ? load : undefined
}

function asFigures(figures: readonly [string, number][]): Figures {
  return Object.fromEntries(figures.filter(([name]) => NAME.test(name)).slice(0, LIMITS.figures))
}

function parseObject(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}
