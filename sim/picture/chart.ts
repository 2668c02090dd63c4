/** What a picture shows: lines, or shares of a whole that are stacked. */
export type Chart = LineChart | StackedChart

interface Frame {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  /** An instant worth marking, with its name. */
  readonly mark?: { readonly at: number; readonly label: string }
}

export interface Axis {
  /** With its unit. */
  readonly label: string
  readonly from: number
  readonly to: number
  readonly scale?: 'linear' | 'log'
  /** Where numbers stand; by themselves at round ones. */
  readonly ticks?: readonly { readonly at: number; readonly label: string }[]
}

export interface Line {
  readonly label: string
  readonly points: readonly Point[]
  /** A value holds until the next point. */
  readonly isStepped?: boolean
  /** Beside the one that the picture is about. */
  readonly isAside?: boolean
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface LineChart extends Frame {
  readonly kind: 'lines'
  readonly lines: readonly Line[]
}

export interface StackedChart extends Frame {
  readonly kind: 'stacked'
  readonly labels: readonly string[]
  /** At each x the height of each, in the order of the labels. */
  readonly columns: readonly { readonly x: number; readonly heights: readonly number[] }[]
}
