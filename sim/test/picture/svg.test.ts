import { expect, test } from 'vitest'
import type { LineChart } from '../../picture/chart.ts'
import { place, ticksOf } from '../../picture/scale.ts'
import { toSvg } from '../../picture/svg.ts'

const chart: LineChart = {
  kind: 'lines',
  title: 'Shares <of> "px1" & px2',
  x: { label: 'seconds', from: 0, to: 10 },
  y: { label: '% of requests', from: 0, to: 100 },
  mark: { at: 5, label: 'it fails' },
  lines: [
    {
      label: 'px1',
      points: [
        { x: 0, y: 0 },
        { x: 10, y: 100 },
      ],
    },
    {
      label: 'px2',
      isStepped: true,
      isAside: true,
      points: [
        { x: 0, y: 100 },
        { x: 10, y: 100 },
      ],
    },
  ],
}

test('a picture has its title, axes with units, the instant that is marked, and a name on each line', () => {
  const svg = toSvg(chart)
  for (const words of ['seconds', '% of requests', 'it fails', '>px1<', '>px2<']) expect(svg).toContain(words)
  expect(svg).toContain('Shares &lt;of&gt; &quot;px1&quot; &amp; px2')
  expect(svg).not.toContain('NaN')
})

test('a line runs from corner to corner when its values do', () => {
  const paths = [
    ...toSvg(chart).matchAll(/<path class="line[^"]*" stroke="[^"]*" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/g),
  ]
  const [, x1 = '', y1 = '', x2 = '', y2 = ''] = paths[0] ?? []
  expect(Number(x2)).toBeGreaterThan(Number(x1))
  expect(Number(y2)).toBeLessThan(Number(y1)) // up is less
})

test('a stepped line holds a value until the next', () => {
  expect(toSvg(chart)).toMatch(/d="M[\d.]+ [\d.]+H[\d.]+V[\d.]+"/)
})

test('lines that end at one height have labels apart', () => {
  const lines = ['a-line', 'b-line', 'c-line'].map((label) => ({
    label,
    points: [
      { x: 0, y: 50 },
      { x: 10, y: 50 },
    ],
  }))
  const svg = toSvg({ ...chart, lines })
  const heights = [...svg.matchAll(/y="([\d.]+)">\w-line/g)].map(([, y]) => Number(y))
  expect(heights).toHaveLength(3)
  expect(new Set(heights).size).toBe(3)
})

test('stacked shares lie one on the other up to the whole', () => {
  const svg = toSvg({
    ...{ kind: 'stacked', title: 'Shares', x: chart.x, y: chart.y, labels: ['px1', 'px2'] },
    columns: [0, 10].map((x) => ({ x, heights: [25, 75] })),
  })
  const [low = '', high = ''] = [...svg.matchAll(/<path fill="[^"]*" d="M([^Z]*)Z"/g)].map(
    ([, corners = '']) => corners,
  )
  const top = (corners: string) => Math.min(...corners.split('L').map((corner) => Number(corner.split(' ')[1])))
  const bottom = (corners: string) => Math.max(...corners.split('L').map((corner) => Number(corner.split(' ')[1])))
  expect(bottom(high)).toBe(top(low))
  expect(top(high)).toBe(place(chart.y, 100, bottom(low), top(high)))
})

test('a ground of its own makes a picture readable on a dark page', () => {
  expect(toSvg(chart)).toContain('prefers-color-scheme:dark')
})

test.each([
  [0, 100, [0, 20, 40, 60, 80, 100]],
  [-20, 60, [-20, -10, 0, 10, 20, 30, 40, 50, 60]],
  [0, 0.3, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]],
])('numbers on an axis from %f to %f are round', (from, to, expected) => {
  expect(ticksOf({ label: 'x', from, to }).map(({ at }) => at)).toEqual(expected)
})

test('a logarithmic axis has its numbers at powers of ten, evenly spaced', () => {
  const axis = { label: 'x', from: 1, to: 1000, scale: 'log' } as const
  expect(ticksOf(axis).map(({ at }) => at)).toEqual([1, 10, 100, 1000])
  expect(place(axis, 10, 0, 300)).toBeCloseTo(100)
})
