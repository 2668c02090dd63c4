import type { Axis } from './chart.ts'

/** Where a value of an axis stands between `start` and `end`; what is outside the axis stands at its edge. */
export function place({ from, to, scale = 'linear' }: Axis, value: number, start: number, end: number): number {
  const of = scale === 'log' ? Math.log10 : (x: number) => x
  const within = Math.min(Math.max(value, from), to)
  return start + ((of(within) - of(from)) / (of(to) - of(from))) * (end - start)
}

export function ticksOf(axis: Axis): readonly { readonly at: number; readonly label: string }[] {
  if (axis.ticks !== undefined) return axis.ticks
  const values = axis.scale === 'log' ? decades(axis) : evenly(axis)
  return values.map((at) => ({ at, label: String(at) }))
}

function decades({ from, to }: Axis): number[] {
  const found: number[] = []
  for (let value = 10 ** Math.ceil(Math.log10(from)); value <= to; value *= 10) found.push(value)
  return found
}

/** Four to eight steps of 1, 2 or 5 times a power of ten. */
function evenly({ from, to }: Axis): number[] {
  const rough = (to - from) / 8
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => by >= rough) ?? rough
  const count = Math.floor((to - Math.ceil(from / step) * step) / step + 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => Number((Math.ceil(from / step) * step + i * step).toPrecision(12)))
}
