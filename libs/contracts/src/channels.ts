import type { EventChannel, RequestChannel } from './channel.ts'
import { loadReported } from './load.ts'
import { addProxy, disableProxy, drainProxy, enableProxy, proxyAnnounced, removeProxy, setProxy } from './proxies.ts'
import { proxyStateChanged } from './proxy-state.ts'
import { responseTimeTaken } from './response-time.ts'
import { explainQuestion, routeAnswered, routeQuestion, routeQuestionTo } from './route.ts'
import { sipReceived } from './sip-received.ts'
import { trafficSeen } from './traffic.ts'
import { tableSnapshot, weightsChanged, weightsQuestion, weightsShadowed } from './weights.ts'

/** Everything that is said on the bus; the documentation is generated from these two lists. */
export const eventChannels: readonly EventChannel<unknown>[] = [
  sipReceived,
  routeAnswered,
  responseTimeTaken,
  loadReported,
  trafficSeen,
  weightsChanged,
  tableSnapshot,
  weightsShadowed,
  proxyStateChanged,
  proxyAnnounced,
]

export const requestChannels: readonly RequestChannel<unknown, unknown>[] = [
  routeQuestion,
  routeQuestionTo,
  weightsQuestion,
  explainQuestion,
  addProxy,
  removeProxy,
  drainProxy,
  enableProxy,
  disableProxy,
  setProxy,
]
