export { ownAddress } from './addresses.ts'
export { makeCertificate, type CertificateOptions, type TestCertificate } from './certificates.ts'
export { startKamailio, type Kamailio, type KamailioOptions } from './kamailio.ts'
export { startBaresip } from './phones/baresip.ts'
export { converse } from './phones/converse.ts'
export { startLinphone } from './phones/linphone.ts'
export { type CallState, type Phone, type PhoneOptions, type PhoneTransport } from './phones/phone.ts'
export { startLossyRelay, type LossyRelay, type LossyRelayOptions } from './lossy-relay.ts'
export { startWebPhone, type WebPhoneOptions } from './phones/web-phone.ts'
export { startNats, type TestNats, type TestNatsOptions } from './nats.ts'
export { startNameServer, type NameServer, type NameServerOptions } from './name-server.ts'
export { freePort } from './ports.ts'
export { freezeProcess } from './process.ts'
export { spawnService, type LogLine, type ServiceOptions, type ServiceProcess } from './service.ts'
export type { CallResult } from './sip/call.ts'
export {
  createCaller,
  type Answered,
  type Caller,
  type CallerOptions,
  type CallerStatistics,
  type CallOptions,
} from './sip/caller.ts'
export {
  valueOf,
  valuesOf,
  type Address,
  type Header,
  type Message,
  type Request,
  type Response,
} from './sip/message.ts'
export {
  createSampleProxy,
  type Answer,
  type SampleProxy,
  type SampleProxyCounters,
  type SampleProxyOptions,
} from './sip/sample-proxy.ts'
export { startRegistrar, type Binding, type Registrar, type RegistrarOptions } from './registrar.ts'
export { sipsakOptions, sipsakRegister, type SipsakOptions, type SipsakResult } from './sipsak.ts'
export { startStunnel, type Stunnel, type StunnelOptions } from './stunnel.ts'
export { runSipp, startSipp, type Sipp, type SippOptions, type SippStatistics } from './sipp.ts'
export { waitFor } from './wait-for.ts'
export { startStack, type ServiceName, type Stack, type StackOptions } from './stack.ts'
