import { measure, type Measured } from './measure.ts'
import type { LoadTools } from './load-tools.ts'
import type { System } from './system.ts'

const FIRST = 1000
const MOST = 32_000
const GROWTH = 1.4
/** The search ends when it is known to this part. */
const CLOSE = 1.06
const SECONDS = 5
/** Of a rate: what else the machine does may stand in the way of one. */
const TRIES = 2

/** The highest rate that is carried with < 0.1 % failed and < 1 % sent again. */
export async function highestRate(
  system: System,
  tools: LoadTools,
  onTried: (measured: Measured, isCarried: boolean) => void,
): Promise<number> {
  let carried = 0
  let tooMuch = Infinity
  let rate = FIRST
  while (rate <= MOST && tooMuch / Math.max(carried, 1) > CLOSE) {
    let isCarried = false
    for (let tries = 0; tries < TRIES && !isCarried; tries++) {
      const measured = await measure(system, tools, rate, SECONDS)
      isCarried = isGood(measured)
      onTried(measured, isCarried)
    }
    if (isCarried) carried = rate
    else tooMuch = rate
    rate = Math.round(tooMuch === Infinity ? rate * GROWTH : Math.sqrt(Math.max(carried, FIRST / 2) * tooMuch))
  }
  return carried
}

function isGood({ offered, failed, retransmitted, extraAtProxies }: Measured): boolean {
  return failed < offered * 0.001 && retransmitted + extraAtProxies < offered * 0.01
}
