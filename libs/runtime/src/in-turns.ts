/** Work that waits for a turn of its own. */
const waiting: (() => void)[] = []

/**
 * Resolves in a later turn of the event loop, when what came meanwhile has been taken. One caller goes on in each turn, so that long works
 * that are cut into steps do not add up.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(oneGoesOn)
  })
}

function oneGoesOn(): void {
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(oneGoesOn)
}

/** Does long work one step in each turn of the event loop, so that calls go on meanwhile. */
export async function inTurns<T>(steps: Generator<undefined, T>): Promise<T> {
  let step = steps.next()
  while (step.done !== true) {
    await nextTurn()
    step = steps.next()
  }
  return step.value
}

/** Does it at one go, where it is short. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
