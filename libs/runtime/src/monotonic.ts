/** Monotonic milliseconds of this process. Never leaves it: messages carry durations. */
export function nowMs(): number {
  return performance.now()
}
