import type { Scenario } from '../scenario.ts'
import { beyondRoundRobin } from './beyond-round-robin.ts'
import { coldStart } from './cold-start.ts'
import { deadShare } from './dead-share.ts'
import { equalHeavy } from './equal-heavy.ts'
import { failingFast } from './failing-fast.ts'
import { loadEvent } from './load-event.ts'
import { lostProbe } from './lost-probe.ts'
import { oneOfHundred } from './one-of-hundred.ts'
import { oneSlow } from './one-slow.ts'
import { refusingFast } from './refusing-fast.ts'
import { ringing } from './ringing.ts'
import { shares } from './shares.ts'
import { silent } from './silent.ts'
import { unequalCapacity } from './unequal-capacity.ts'

/** In the order in which they are told. */
export const scenarios: readonly Scenario[] = [
  shares,
  coldStart,
  deadShare,
  failingFast,
  refusingFast,
  oneSlow,
  silent,
  lostProbe,
  unequalCapacity,
  oneOfHundred,
  equalHeavy,
  beyondRoundRobin,
  loadEvent,
  ringing,
]
