import { config } from '@siplb/contracts'

/** Location takes `pools`, `nats`, `http` and `log`; the file is the same for all services. */
export const locationConfig = config

export const defaultHttpPort = 9104

/** How long choices ahead may be used: about as long as it takes for the loss of a proxy to become a new table. */
export const aheadTtlMs = 1000

/** What was answered is told in batches, no sooner than so long after the last one: the bus runs at a fixed rate and not once per call. */
export const tellEveryMs = 20
