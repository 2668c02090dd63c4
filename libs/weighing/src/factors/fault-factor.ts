import { fall } from './bounded-slope.ts'

/** One failure in ten happens to every proxy whose callees fail now and then. */
const TOLERATED_RATE = 0.1
/** A proxy that fails every second request is of no use, and may be ejected. */
export const RUINOUS_RATE = 0.5

/** h: 1 up to one fault in ten, falling to the floor at every second. */
export function faultFactor(rate: number, floor: number): number {
  return fall(rate, { from: TOLERATED_RATE, to: RUINOUS_RATE, floor })
}
