/** Proxies of a tier are compared with one another: a far site is slower than a near one, and no worse for it. */
export function byTier<T extends { readonly record: { readonly tier: number } }>(proxies: Iterable<T>): T[][] {
  return [...Map.groupBy(proxies, (proxy) => proxy.record.tier).values()]
}
