/** A line of a service's log, in words; undefined for what only the log file needs. */
export function wordsOf(line: string): string | undefined {
  const record = parse(line)
  // No record: the last words of a process that crashed.
  if (record === undefined) return line.trim() === '' ? undefined : line
  const { level, msg, ...facts } = record
  if (typeof level !== 'number' || level < WARNING) return undefined
  const told = Object.entries(facts)
    .filter(([key]) => !own.has(key))
    .map(([key, value]) => `${key}=${textOf(value)}`)
  return [`${level < ERROR ? 'warning' : 'error'}: ${String(msg)}`, ...told].join(' ')
}

/** A field of a line of a service's log. */
export function fieldOf(line: string, field: string): unknown {
  return parse(line)?.[field]
}

const WARNING = 40
const ERROR = 50
const own = new Set(['time', 'service', 'instance'])

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message)
  return JSON.stringify(value)
}
