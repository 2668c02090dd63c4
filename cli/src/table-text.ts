export interface Column<T> {
  readonly title: string
  readonly align?: 'right'
  readonly text: (row: T) => string
}

/** Rows in columns, each as wide as its widest cell. */
export function tableText<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const filled = columns.map(({ title, align, text }) => {
    const cells = [title, ...rows.map(text)]
    const width = Math.max(...cells.map((cell) => cell.length))
    return cells.map((cell) => (align === 'right' ? cell.padStart(width) : cell.padEnd(width)))
  })
  const lineAt = (i: number) => filled.map((cells) => cells[i] ?? '').join('  ')
  return Array.from({ length: rows.length + 1 }, (_, i) => lineAt(i).trimEnd()).join('\n')
}

export function percentText(part: number): string {
  return `${numberText(part * 100)} %`
}

/** At most `digits` behind the point, and none that say nothing. */
export function numberText(value: number, digits = 1): string {
  return String(Number(value.toFixed(digits)))
}
