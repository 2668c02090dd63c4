const units = [
  { unit: 'h', ms: 3_600_000 },
  { unit: 'min', ms: 60_000 },
] as const

/** As exact as an estimate is: `20 s`, `3 min`, `2 h`. From two of a unit on it is told in that unit. */
export function durationText(durationMs: number): string {
  const fitting = units.find(({ ms }) => durationMs >= 2 * ms) ?? { unit: 's', ms: 1000 }
  return `${Math.max(1, Math.round(durationMs / fitting.ms))} ${fitting.unit}`
}
