import { misuse } from '../errors.ts'

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** An instant as it is typed: `90s`, `30m`, `2h`, `1d` ago, or a date. In wall-clock milliseconds. */
export function instantOf(option: string, text: string, now: number): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const ms = unitMs[unit]
  if (ms !== undefined) return now - Number(number) * ms
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw misuse(`--${option} wants a time such as 90s, 30m, 2h (ago) or 2026-11-25T14:00:00Z, not "${text}"`)
}

/** `1 h 2 min 3 s`, without what is nothing. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : `${count} ${unit}`)).join(' ') || '0 s'
}

/** In the time of this machine: `2026-11-25 14:00:00`. */
export function instantText(at: number): string {
  const date = new Date(at)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${date.toTimeString().slice(0, 8)}`
}
