import type { AdminState, DeclaredProxy, ProxyRecord } from '@siplb/contracts'

/** What a command does to the row of its proxy. */
export type ListChange =
  | { readonly kind: 'write'; readonly record: ProxyRecord }
  | { readonly kind: 'remove'; readonly record: ProxyRecord }
  | { readonly kind: 'unchanged'; readonly record: ProxyRecord }
  | { readonly kind: 'refused'; readonly status: number; readonly text: string }

export interface Target {
  readonly pool: string
  readonly proxy: string
  readonly actor: string
}

export function add(known: ProxyRecord | undefined, target: Target, declared: Omit<DeclaredProxy, 'id'>): ListChange {
  const { pool, proxy: id, actor } = target
  const { uri, weight, tier, load } = declared
  const record: ProxyRecord = {
    ...{ pool, id, uri, weight, tier },
    ...(load === undefined ? {} : { load }),
    ...{ origin: 'command', adminState: 'enabled', actor },
  }
  if (known === undefined) return { kind: 'write', record }
  // A command whose answer was lost is given again.
  if (isSame({ ...known, actor }, record)) return { kind: 'unchanged', record: known }
  return refused(
    409,
    `proxy "${id}" is already in pool "${pool}", at ${known.uri}; remove it first, or choose another id`,
  )
}

export function remove(known: ProxyRecord | undefined, target: Target): ListChange {
  if (known === undefined) return unknown(target)
  if (known.origin !== 'config') return { kind: 'remove', record: known }
  const { proxy } = target
  return refused(409, `proxy "${proxy}" is declared in the configuration: take it out of the file, or disable it`)
}

export function administer(known: ProxyRecord | undefined, target: Target, adminState: AdminState): ListChange {
  if (known === undefined) return unknown(target)
  if (known.adminState === adminState) return { kind: 'unchanged', record: known }
  return { kind: 'write', record: { ...known, adminState, actor: target.actor } }
}

/** `null` returns to the declared weight. */
export function reweigh(known: ProxyRecord | undefined, target: Target, weight: number | null): ListChange {
  if (known === undefined) return unknown(target)
  const { operatorWeight, ...declared } = known
  if ((operatorWeight ?? null) === weight) return { kind: 'unchanged', record: known }
  const record = { ...declared, ...(weight === null ? {} : { operatorWeight: weight }), actor: target.actor }
  return { kind: 'write', record }
}

export interface Import {
  readonly write: readonly ProxyRecord[]
  /** Ids of declared proxies that are declared no more. */
  readonly remove: readonly string[]
}

/** The file's proxies of a pool, brought into the list. What operators set survives; so does what they added. */
export function importDeclared(
  pool: string,
  declared: readonly DeclaredProxy[],
  known: ReadonlyMap<string, ProxyRecord>,
): Import {
  const ids = new Set(declared.map(({ id }) => id))
  const write = declared.flatMap((proxy) => {
    const before = known.get(proxy.id)
    const record = merged(pool, proxy, before)
    return before !== undefined && isSame(before, record) ? [] : [record]
  })
  return {
    write,
    remove: [...known.values()].filter(({ id, origin }) => origin === 'config' && !ids.has(id)).map(({ id }) => id),
  }
}

function merged(
  pool: string,
  { id, uri, weight, tier, load }: DeclaredProxy,
  before: ProxyRecord | undefined,
): ProxyRecord {
  return {
    ...{ pool, id, uri, weight, tier },
    ...(load === undefined ? {} : { load }),
    origin: 'config',
    adminState: before?.adminState ?? 'enabled',
    ...(before?.operatorWeight === undefined ? {} : { operatorWeight: before.operatorWeight }),
    actor: before?.actor ?? 'configuration',
  }
}

function isSame(a: ProxyRecord, b: ProxyRecord): boolean {
  return canonical(a) === canonical(b)
}

function canonical(record: ProxyRecord): string {
  return JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function unknown({ pool, proxy }: Target): ListChange {
  return refused(404, `there is no proxy "${proxy}" in pool "${pool}"; "siplb proxies list" shows all`)
}

function refused(status: number, text: string): ListChange {
  return { kind: 'refused', status, text }
}
