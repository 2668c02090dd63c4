/** The store did not answer in time; what was asked of it may or may not have happened. */
class DeadlineError extends Error {
  readonly code = 'deadline'

  constructor(ms: number) {
    super(`the store did not answer within ${ms} ms; it is asked again`)
    this.name = 'DeadlineError'
  }
}

/** A request that was under way when the bus went would else be waited for long after it is back. */
export const STORE_MS = 2000

export async function inTime<T>(work: Promise<T>, ms = STORE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(ms)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
