export { scan } from './message/scan.ts'
export type { Endpoint, Transport } from './endpoint.ts'
export { defaultLimits } from './message/limits.ts'
export type { Limits } from './message/limits.ts'
export { HeaderId, headerName } from './message/header-id.ts'
export type {
  Answerable,
  HeaderLine,
  KeepAlive,
  Malformed,
  Message,
  Problem,
  Scanned,
  SipRequest,
  SipResponse,
} from './message/message.ts'
export { parseVia } from './header/via.ts'
export type { Via } from './header/via.ts'
export { overloadOffer, readOverload } from './header/overload.ts'
export type { Overload } from './header/overload.ts'
export { parseNameAddr, parseNameAddrText } from './header/name-addr.ts'
export type { NameAddr } from './header/name-addr.ts'
export { parseCSeq } from './header/cseq.ts'
export type { CSeq } from './header/cseq.ts'
export { defaultPort, hostPort, isHost, parseUri } from './header/uri.ts'
export type { Uri } from './header/uri.ts'
export { parseRoutes } from './header/route.ts'
export type { RouteValue } from './header/route.ts'
export {
  addLineAbove,
  addLineBelow,
  addViaParams,
  appendLine,
  applyEdits,
  prependLine,
  pushVia,
  removeFirstValues,
  removeLastRoute,
  removeLines,
  removeTopRoutes,
  removeTopVia,
  replaceRequestUri,
  setMaxForwards,
  setValue,
} from './message/edit.ts'
export type { Edit } from './message/edit.ts'
export { removeForeignOverload } from './message/foreign-overload.ts'
export { buildAckForNon2xx, buildCancel, buildResponse } from './message/build.ts'
export { Slab } from './message/slab.ts'
export { reasonPhrase } from './message/reason.ts'
export { hasStatelessTag, statelessTag } from './message/stateless-tag.ts'
export type { ResponseSpec } from './message/build.ts'
export { isCookie, makeBranch, readBranch } from './branch.ts'
export type { BranchParts } from './branch.ts'
export { hasLineBreak, SipError } from './errors.ts'
export { defaultTimers, giveUpMs, lateTryingMs } from './transaction/timers.ts'
export type { TimerName, Timers } from './transaction/timers.ts'
export type { ClientSink, ServerSink } from './transaction/sink.ts'
export { InviteClient } from './transaction/invite-client.ts'
export { NonInviteClient } from './transaction/non-invite-client.ts'
export { InviteServer } from './transaction/invite-server.ts'
export { NonInviteServer } from './transaction/non-invite-server.ts'
export { cancelTargetKey, clientKey, clientKeyOf, serverKey } from './transaction/key.ts'
export { TransactionTable, type Keyed } from './transaction/table.ts'
export { isToken } from './message/octets.ts'
export { buildRequest } from './message/full-parse.ts'
export type { RequestSpec, ViaSpec } from './message/full-parse.ts'
