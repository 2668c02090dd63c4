/** Figures as they stand in the table. */
export function percent(part: number, digits = 1): string {
  return `${(100 * part).toFixed(digits)} %`
}

export function units(ms: number, unitMs: number): string {
  const value = ms / unitMs
  return value < 1000 ? value.toFixed(1) : `${Math.round(value)}`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
