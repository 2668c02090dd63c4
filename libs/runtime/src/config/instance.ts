import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** A name for this instance, a slug: the host, so that a person finds it, and chance, so that no two are alike. */
export function newInstance(): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 24)
    .replaceAll(/^-|-$/g, '')
  return `${host === '' ? 'host' : host}-${randomBytes(2).toString('hex')}`
}
