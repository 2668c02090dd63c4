import type { Choices, Entry } from './choice.ts'
import { drawForPick } from './least-work.ts'
import type { Points } from './points.ts'

/** The power of two choices (Mitzenmacher 2001): candidates of two draws. */
export function drawTwo(choices: Choices, points: Points): Entry[] {
  return drawForPick(choices, points, 2)
}
