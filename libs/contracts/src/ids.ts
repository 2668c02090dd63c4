import { z } from 'zod'

/** A slug: the only kind of id on the bus. KV keys refuse `:` and `@`, so a SIP URI can never be one. */
const SLUG = /^[a-z0-9][a-z0-9-]{0,31}$/

export const isSlug = (text: string): boolean => SLUG.test(text)

export const slug = z
  .string()
  .regex(SLUG, 'must be a slug: a-z, 0-9 and "-", at most 32 characters, not starting with "-"')

// An object puts keys of digits only before all others, and the order of pools in the file decides.
export const poolId = slug
  .regex(/[^0-9]/, 'must not be digits only')
  .describe('A set of proxies that can take the same request.')
export const proxyId = slug.describe('A downstream proxy, stable when its address changes.')
export const instanceId = slug.describe('One running instance of a service.')

/** Makes a slug of any text, such as a host name. */
export function toSlug(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 32)
  return cleaned === '' ? 'x' : cleaned
}
