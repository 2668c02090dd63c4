import { config } from '@siplb/contracts'

/** The prober takes `probe`, `nats`, `http`, `log`, and of `pools` the proxies; the file is the same for all services. */
export const proberConfig = config

export const defaultHttpPort = 9102
