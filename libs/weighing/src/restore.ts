import type { WeightRow, WeightTable } from '@siplb/contracts'
import { learned } from './factors/capacity-factor.ts'
import { undamped } from './factors/damping.ts'
import { newStanding, type Standing } from './standing/proxy-state.ts'
import type { ProxyView } from './proxy-view.ts'
import { causeIn } from './table/reasons.ts'
import type { Settings } from './settings.ts'
import { elapsedAt } from './factors/slow-start.ts'

/**
 * Takes over from a stored table what a weigher that begins cannot know: who is out, who grows, and the weights that were
 * reached. So a change of the writer, or a restart, moves nothing.
 */
export function restore(proxy: ProxyView, row: WeightRow, table: WeightTable, settings: Settings, now: number): void {
  if (row.uri !== proxy.record.uri) return
  proxy.standing = standingOf(row, table.panic, settings, now)
  if (row.state === 'drained') proxy.isDrained = true
  const wasWeighed = row.state === 'up' || row.state === 'suspect' || row.state === 'unknown'
  if (!wasWeighed || table.panic || row.baseWeight === 0 || row.weight === 0) return
  const { capacity = 1 } = row.signals
  proxy.capacity = learned(capacity, now)
  const factor = Math.min(1, row.weight / (row.baseWeight * capacity))
  proxy.soft = undamped(factor, now)
  if (factor < 1) proxy.restored = { factor, at: now }
}

function standingOf(row: WeightRow, isPanic: boolean, { weights }: Settings, now: number): Standing {
  const out = { since: now, lastOutAt: now, cause: causeIn(row.reason), outUntil: now }
  switch (row.state) {
    case 'down':
      return { ...newStanding, ...out, health: 'down', flaps: 1 }
    case 'ejected':
      return { ...newStanding, ...out, health: 'ejected', ejections: 1, outUntil: now + weights.ejectionBaseMs }
    case 'recovering': {
      const growMs = weights.slowStartMs
      const grows = { health: 'recovering', flaps: 1, growMs } as const
      // Who grows has its base weight in a panic only while it must prove itself.
      if (isPanic && row.weight === row.baseWeight) return { ...newStanding, ...out, ...grows, isUnproven: true }
      const share = row.baseWeight === 0 ? 1 : row.weight / row.baseWeight
      return { ...newStanding, ...out, ...grows, since: now - elapsedAt(share, growMs) }
    }
    case 'up':
    case 'suspect':
      return { ...newStanding, health: 'up', since: now, cause: row.reason }
    default:
      return newStanding
  }
}
