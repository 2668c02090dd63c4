/** How the dialogs of a proxy that takes nothing new go away. */
export interface DrainProgress {
  readonly since: number
  /** How many there were when the drain began, as far as was heard. */
  readonly dialogs: number
}

/** Before that, how fast they end is a guess. */
const LEAST_MS = 5000

export function observeDrain(progress: DrainProgress | undefined, dialogs: number, now: number): DrainProgress {
  // Right after the beginning not every ingress has been heard.
  if (progress === undefined) return { since: now, dialogs }
  return dialogs > progress.dialogs ? { since: progress.since, dialogs } : progress
}

/**
 * When the last dialog is likely to have ended: calls end at a rate in proportion to how many there are, so their number falls as
 * an exponential, and the time from here to one is ln(dialogs) of its time constants. Undefined while nothing can be told.
 */
export function doneInMs({ since, dialogs: first }: DrainProgress, dialogs: number, now: number): number | undefined {
  if (dialogs === 0) return 0
  if (now - since < LEAST_MS || dialogs >= first) return undefined
  const timeConstantMs = (now - since) / Math.log(first / dialogs)
  return Math.round(timeConstantMs * (Math.log(dialogs) + 1))
}
