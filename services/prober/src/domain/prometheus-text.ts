import { unusable, type LoadAnswer } from './load-answer.ts'

/**
 * Reads figures out of the Prometheus text format 0.0.4: `name{label="value",…} figure timestamp`, one series a line. One pass,
 * and only lines that begin with the name are looked into: such a text may have thousands.
 */
export interface Wanted {
  /** `name`, or `name{label="value"}`: series with all these labels, summed up. */
  readonly metric: string
  readonly capacityMetric: string | undefined
}

/** A longer line is none of those that we could mean. */
const MAX_LINE = 8192

interface Series {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  /** Behind the name and its labels. */
  readonly end: number
}

export function readPrometheus(text: string, { metric, capacityMetric }: Wanted): LoadAnswer {
  const active = sumOf(text, metric)
  if (typeof active === 'string') return unusable(active)
  if (capacityMetric === undefined) return report(active, undefined)
  const capacity = sumOf(text, capacityMetric)
  if (typeof capacity === 'string') return unusable(capacity)
  return capacity === 0 ? unusable(`${capacityMetric} is 0: no capacity`) : report(active, capacity)
}

function report(active: number, capacity: number | undefined): LoadAnswer {
  return { kind: 'report', report: { kind: 'active', active, capacity, details: { active } } }
}

/** A sentence where there is no such figure. */
function sumOf(text: string, metric: string): number | string {
  const wanted = readSeries(metric, 0)
  if (wanted === undefined || wanted.end !== metric.length)
    return `${metric} is no metric; write name or name{label="value"}`
  let sum: number | undefined
  for (let start = 0; start < text.length;) {
    const end = endOfLine(text, start)
    if (text.startsWith(wanted.name, start)) {
      const figure = figureOf(text.slice(start, Math.min(end, start + MAX_LINE + 1)), wanted)
      if (typeof figure === 'string') return figure
      if (figure !== undefined) sum = (sum ?? 0) + figure
    }
    start = end + 1
  }
  return sum ?? `${metric} is not in the text; look for the name, and its labels, at the url`
}

// A line that cannot be read is no reason to leave it out of a sum: the sum would be wrong.
function figureOf(line: string, wanted: Series): number | string | undefined {
  const series = readSeries(line, 0)
  if (series === undefined || line.length > MAX_LINE) return `a line of ${wanted.name} cannot be read`
  if (series.name !== wanted.name) return undefined
  for (const [label, value] of wanted.labels) if ((series.labels.get(label) ?? '') !== value) return undefined
  const [figure = ''] = line.slice(series.end).trim().split(/[ \t]/, 1)
  const value = isDecimal(figure) ? Number(figure) : NaN
  return value >= 0 && value < Infinity ? value : `${wanted.name} is ${figure || 'nothing'}, not a number of 0 or more`
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  return end < 0 ? text.length : end
}

function readSeries(text: string, at: number): Series | undefined {
  const nameEnd = skip(text, at, isNameCharacter)
  if (nameEnd === at) return undefined
  const labels = new Map<string, string>()
  const open = skip(text, nameEnd, isBlank)
  if (text[open] !== '{') return { name: text.slice(at, nameEnd), labels, end: nameEnd }
  const end = readLabels(text, open + 1, labels)
  return end < 0 ? undefined : { name: text.slice(at, nameEnd), labels, end }
}

/** Behind the closing brace, or -1. */
function readLabels(text: string, at: number, labels: Map<string, string>): number {
  for (;;) {
    const start = skip(text, at, isBlank)
    if (text[start] === '}') return start + 1
    const nameEnd = skip(text, start, isNameCharacter)
    const equals = skip(text, nameEnd, isBlank)
    const quote = skip(text, equals + 1, isBlank)
    if (nameEnd === start || text[equals] !== '=' || text[quote] !== '"') return -1
    const close = readQuoted(text, quote + 1, (value) => labels.set(text.slice(start, nameEnd), value))
    if (close < 0) return -1
    at = skip(text, close, isBlank)
    if (text[at] === ',') at++
    else if (text[at] !== '}') return -1
  }
}

// Escapes: \\, \" and \n.
function readQuoted(text: string, at: number, found: (value: string) => void): number {
  const parts: string[] = []
  for (; at < text.length; at++) {
    const c = text.charAt(at)
    if (c === '"') {
      found(parts.join(''))
      return at + 1
    }
    if (c === '\\') at++
    parts.push(c !== '\\' ? c : text[at] === 'n' ? '\n' : text.charAt(at))
  }
  return -1
}

function skip(text: string, at: number, is: (c: number) => boolean): number {
  while (at < text.length && is(text.charCodeAt(at))) at++
  return at
}

const isBlank = (c: number): boolean => c === 0x20 || c === 0x09

function isNameCharacter(c: number): boolean {
  const lower = c | 0x20
  return (lower >= 0x61 && lower <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || c === 0x3a
}

// As Go prints them; NaN and the infinities are no load.
function isDecimal(text: string): boolean {
  return text.length <= 64 && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)
}
