import type { Chart, Line, LineChart, Point, StackedChart } from './chart.ts'
import { place, ticksOf } from './scale.ts'

const WIDTH = 780
const HEIGHT = 360
const LEFT = 64
const RIGHT = 566
const TOP = 48
const BOTTOM = 304
/** Two labels nearer than that would run into each other. */
const LABEL_GAP = 15

// After Okabe and Ito's colours, which also those who see red and green alike can tell apart; readable on white and on black.
const COLOURS = ['#2479c7', '#d55e00', '#109970', '#c56c9c', '#bf8600', '#3fa3d6', '#858585', '#8464c9']

// GitHub and browsers show the picture on a page that may be dark: it has a ground of its own, of either kind.
const STYLE = `
svg{font:13px system-ui,sans-serif}
.ground{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d1d9e0;fill:none}.mark{stroke:#59636e;stroke-dasharray:4 3}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.main{stroke-width:3}.title{font-size:15px;font-weight:600}
@media(prefers-color-scheme:dark){.ground{fill:#0d1117}.ink{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}.mark{stroke:#9198a1}}
`

/** The picture of a chart as an SVG document that needs nothing else. */
export function toSvg(chart: Chart): string {
  const body = chart.kind === 'lines' ? lines(chart) : stacks(chart)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">`,
    `<style>${STYLE}</style><rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(chart.title, { x: LEFT, y: 26 }, 'ink title'),
    ...grid(chart),
    ...body,
    ...mark(chart),
    '</svg>\n',
  ].join('\n')
}

function grid({ x, y }: Chart): string[] {
  const across = ticksOf(y).flatMap(({ at, label }) => {
    const height = atY(y, at)
    return [
      `<path class="grid" d="M${LEFT} ${height}H${RIGHT}"/>`,
      text(label, { x: LEFT - 8, y: height + 4 }, 'soft', 'end'),
    ]
  })
  const down = ticksOf(x).map(({ at, label }) => text(label, { x: atX(x, at), y: BOTTOM + 20 }, 'soft', 'middle'))
  return [
    ...across,
    ...down,
    text(x.label, { x: (LEFT + RIGHT) / 2, y: BOTTOM + 44 }, 'soft', 'middle'),
    `<text class="soft" text-anchor="middle" transform="translate(16 ${(TOP + BOTTOM) / 2}) rotate(-90)">${escaped(y.label)}</text>`,
  ]
}

function lines(chart: LineChart): string[] {
  const ends = chart.lines.map(({ points }) => atY(chart.y, points.at(-1)?.y ?? 0))
  const heights = apart(ends)
  return chart.lines.flatMap((line, i) => {
    const colour = COLOURS[i % COLOURS.length] ?? 'black'
    const kind = line.isAside === true ? 'line' : 'line main'
    return [
      `<path class="${kind}" stroke="${colour}" d="${pathOf(chart, line)}"/>`,
      coloured(line.label, { x: RIGHT + 8, y: (heights[i] ?? 0) + 4 }, colour),
    ]
  })
}

function pathOf({ x, y }: LineChart, { points, isStepped }: Line): string {
  return points
    .map((point, i) => {
      const [across, down] = [atX(x, point.x), atY(y, point.y)]
      if (i === 0) return `M${across} ${down}`
      return isStepped === true ? `H${across}V${down}` : `L${across} ${down}`
    })
    .join('')
}

function stacks(chart: StackedChart): string[] {
  const { x, y, columns, labels } = chart
  const below = columns.map(() => 0)
  return labels.flatMap((label, i) => {
    const under = columns.map((column, k) => ({ x: column.x, y: below[k] ?? 0 }))
    columns.forEach((column, k) => (below[k] = (below[k] ?? 0) + (column.heights[i] ?? 0)))
    const over = columns.map((column, k) => ({ x: column.x, y: below[k] ?? 0 }))
    const corners = [...over, ...under.toReversed()].map((point) => `${atX(x, point.x)} ${atY(y, point.y)}`)
    const colour = COLOURS[i % COLOURS.length] ?? 'black'
    const middle = ((under.at(-1)?.y ?? 0) + (over.at(-1)?.y ?? 0)) / 2
    return [
      `<path fill="${colour}" d="M${corners.join('L')}Z"/>`,
      coloured(label, { x: RIGHT + 8, y: atY(y, middle) + 4 }, colour),
    ]
  })
}

function mark({ x, mark }: Chart): string[] {
  if (mark === undefined) return []
  const across = atX(x, mark.at)
  return [
    `<path class="mark" d="M${across} ${TOP - 8}V${BOTTOM}"/>`,
    text(mark.label, { x: across + 5, y: TOP - 4 }, 'soft'),
  ]
}

/** The same heights, moved until each has room of its own. */
function apart(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).toSorted((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0))
  const moved = [...heights]
  let last = -Infinity
  for (const i of order) {
    last = Math.max(moved[i] ?? 0, last + LABEL_GAP)
    moved[i] = last
  }
  const over = Math.max(0, last - BOTTOM)
  return moved.map((height) => height - over)
}

function text(words: string, { x, y }: Point, kind: string, anchor = 'start'): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`
}

function coloured(words: string, { x, y }: Point, colour: string): string {
  return `<text fill="${colour}" x="${x}" y="${y}">${escaped(words)}</text>`
}

function atX(axis: Chart['x'], value: number): number {
  return rounded(place(axis, value, LEFT, RIGHT))
}

function atY(axis: Chart['y'], value: number): number {
  return rounded(place(axis, value, BOTTOM, TOP))
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
