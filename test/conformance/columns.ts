import { startPlainKamailio, startSiplb, type StartElement } from './elements.ts'
import { measure, type Outcomes } from './measure.ts'

/** One element over one transport. */
export interface Column {
  readonly element: 'siplb' | 'Kamailio'
  readonly transport: 'udp' | 'tcp'
  readonly outcomes: Outcomes
}

const elements: readonly (readonly [Column['element'], StartElement])[] = [
  ['siplb', startSiplb],
  ['Kamailio', startPlainKamailio],
]

/** All at once: they wait for silence more than they work. */
export function measureAll(): Promise<Column[]> {
  const columns = elements.flatMap(([element, start]) =>
    (['udp', 'tcp'] as const).map(async (transport) => ({
      ...{ element, transport },
      outcomes: await measure(start, transport),
    })),
  )
  return Promise.all(columns)
}
