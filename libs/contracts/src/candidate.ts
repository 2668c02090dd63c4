import { z } from 'zod'
import { isSlug, proxyId } from './ids.ts'

const LONGEST_URI = 256
const MOST_CANDIDATES = 16
export const MOST_CHOICES = 1024
/** In all choices of an answer. */
const MOST_IN_ALL = MOST_CHOICES * MOST_CANDIDATES

export const candidate = z.object({
  proxy: proxyId,
  uri: z.string().max(LONGEST_URI),
  weight: z.number().nonnegative(),
  fallback: z.boolean().optional().describe('Takes no part in the pick by work; only there should the others fail.'),
})

export type Candidate = z.infer<typeof candidate>

/** The choice for one request, and what serves should it fail. */
export const candidates = z.array(candidate).min(1).max(MOST_CANDIDATES)

export const choices = z.array(candidates).max(MOST_CHOICES)

/** Choices among few candidates, each of which is written once. */
export const compactChoices = z
  .object({
    candidates: z.array(candidate).max(MOST_IN_ALL),
    indexes: z
      .array(z.array(z.int().nonnegative()).min(1).max(MOST_CANDIDATES))
      .max(MOST_CHOICES)
      .describe('For each choice, where in the list its candidates stand.'),
  })
  .refine(({ candidates: { length }, indexes }) => indexes.every((places) => places.every((place) => place < length)))

export type CompactChoices = z.infer<typeof compactChoices>

/** One of the compact choices at length. */
export function choiceAt({ candidates: among }: CompactChoices, places: readonly number[]): Candidate[] {
  return places.flatMap((place) => among[place] ?? [])
}

/** Takes what the schema of choices takes, in less than a tenth of its time: an answer has hundreds of them. */
export function areChoices(value: unknown): value is Candidate[][] {
  return Array.isArray(value) && value.length <= MOST_CHOICES && value.every((one) => isChoice(one, isCandidate))
}

/** The same for compact ones. */
export function areCompactChoices(value: unknown): value is CompactChoices {
  if (typeof value !== 'object' || value === null) return false
  const { candidates: among, indexes }: Partial<Record<keyof CompactChoices, unknown>> = value
  if (!Array.isArray(among) || among.length > MOST_IN_ALL || !among.every(isCandidate)) return false
  const isPlace = (place: unknown) =>
    typeof place === 'number' && Number.isInteger(place) && place >= 0 && place < among.length
  return Array.isArray(indexes) && indexes.length <= MOST_CHOICES && indexes.every((one) => isChoice(one, isPlace))
}

function isChoice(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= MOST_CANDIDATES && value.every(isOne)
}

function isCandidate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { proxy, uri, weight, fallback }: Partial<Record<keyof Candidate, unknown>> = value
  if (typeof proxy !== 'string' || !isSlug(proxy)) return false
  if (typeof uri !== 'string' || isLonger(uri)) return false
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) return false
  return fallback === undefined || typeof fallback === 'boolean'
}

/** By whole characters, as the schema counts them: some are two units of a text. */
function isLonger(uri: string): boolean {
  return uri.length > LONGEST_URI && Array.from(uri).length > LONGEST_URI
}
