import { fall } from './bounded-slope.ts'

/**
 * g: 1 up to the target, then falling straight to the floor at load 1, as the room that is left does. A proxy is to be
 * relieved on what it says of itself, before it loses messages (explicit overload control, RFC 6357).
 */
export function loadFactor(
  load: number,
  { target, floor }: { readonly target: number; readonly floor: number },
): number {
  return fall(load, { from: target, to: 1, floor })
}

/**
 * Where all are loaded, shifting does not help, and near load 1 the smallest difference would decide everything (0.98 against
 * 1.00 would be 3 : 1). So differences count as much as the best has room: all of them while somebody is under the target,
 * none when nobody has any. The best keeps its own factor, so that the sum still tells how much the tier can take.
 */
export function relativeToBest(factor: number, best: number): number {
  return best === 1 ? factor : best * (1 - best + factor)
}
