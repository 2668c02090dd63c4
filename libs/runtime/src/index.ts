export type { Component } from './component.ts'
export { configOrExit, type ConfigRequest, type FoundConfig } from './config/config-or-exit.ts'
export { newInstance } from './config/instance.ts'
export { atOnce, inTurns, nextTurn } from './in-turns.ts'
export { errorText } from './config/issues.ts'
export { loadConfig, type ConfigSource, type LoadedConfig } from './config/load-config.ts'
export { nearest } from './config/nearest.ts'
export { formatProblem, type ConfigProblem } from './config/problem.ts'
export { configText, withoutSecrets } from './config/print-config.ts'
export { version } from './config/version.ts'
export { reloadMessages, watchConfig, type WatchConfigOptions } from './config/watch-config.ts'
export { createHttp, type HttpServer, type Readiness } from './http.ts'
export { MutableLifecycle, run, type Lifecycle, type LifecycleState } from './lifecycle.ts'
export { createLogger, type Logger } from './logger.ts'
export {
  Counter,
  createBusCounters,
  createRegistry,
  Gauge,
  Histogram,
  Registry,
  sumMetrics,
  type MetricsJson,
} from './metrics.ts'
export { nowMs } from './monotonic.ts'
export { Tally } from './tally.ts'
export { createTicker, type Ticker } from './ticker.ts'
export { TlsFiles, type ClientTls, type ServerTls } from './tls-files.ts'
