export interface Endpoint {
  readonly transport: string
  readonly address: string
  readonly port: number
}

/**
 * Which of the places that a proxy's name means is probed. One that is known to answer is kept as long as it is among them,
 * so that their order, partly drawn by lot, does not make the probe jump; in doubt comes the next one (RFC 3263, 4.3).
 */
export function chooseEndpoint<T extends Endpoint>(
  endpoints: readonly T[],
  current: Endpoint | undefined,
  isDoubted: boolean,
): T | undefined {
  const at = endpoints.findIndex((endpoint) => isSameEndpoint(endpoint, current))
  if (at < 0) return endpoints[0]
  return endpoints[isDoubted ? (at + 1) % endpoints.length : at]
}

export function isSameEndpoint(a: Endpoint, b: Endpoint | undefined): boolean {
  return a.transport === b?.transport && a.address === b.address && a.port === b.port
}
