/** RFC 3261, 8.1.1.7: says that a branch is unique. */
const COOKIE = 'z9hG4bK'

/** What a branch of ours tells whoever gets the response: whose transaction it is. */
export interface BranchParts {
  /** Instance id: token characters without a dot. */
  readonly instance: string
  readonly worker: number
  /** Unique within instance and worker, hard to guess; token characters without a dot. */
  readonly unique: string
}

// Dots part the pieces, as they stand in no slug. The mark tells ours from what others write behind the cookie.
const MARK = `${COOKIE}.sl.`

export function makeBranch(parts: BranchParts): string {
  return `${MARK}${parts.instance}.${parts.worker}.${parts.unique}`
}

/** The parts of a branch that one of our instances made, or undefined. */
export function readBranch(branch: string): BranchParts | undefined {
  if (!branch.startsWith(MARK)) return undefined
  const pieces = branch.slice(MARK.length).split('.')
  const [instance, workerText, unique] = pieces
  if (pieces.length !== 3 || !instance || !workerText || !unique) return undefined
  const worker = Number(workerText)
  return Number.isInteger(worker) && worker >= 0 && worker < 65_536 && String(worker) === workerText
    ? { instance, worker, unique }
    : undefined
}

/** Whether a branch can be matched on: the cookie and something behind it (RFC 4475, 3.2.1 shows one without). */
export function isCookie(branch: string | undefined): branch is string {
  return branch !== undefined && branch.length > COOKIE.length && branch.startsWith(COOKIE)
}
