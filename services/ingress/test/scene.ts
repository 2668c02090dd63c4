import { startIngress, type IngressSettings, type IngressUnderTest } from './ingress-under-test.ts'
import { Peer, type Heard } from './peer.ts'
import { Phone } from './phone.ts'

/** An ingress without a bus, two proxies of which px1 is asked first, and a phone. */
export interface Scene extends AsyncDisposable {
  readonly lb: IngressUnderTest
  readonly px1: Peer
  readonly px2: Peer
  readonly phone: Phone
  /** Sets up a call of the phone at px1. */
  call(): Promise<Call>
}

export interface Call {
  readonly invite: ReturnType<Phone['ask']>
  /** As px1 got it, and the 200 as it came back to the phone. */
  readonly asked: Heard
  readonly ok: Heard
  readonly ack: Heard
}

export interface SceneSettings extends Partial<IngressSettings> {
  /** Further keys of the pool. */
  readonly pool?: object
  /** Of the proxies; phone and balancer are at `address`, 127.0.0.1 by default. */
  readonly proxyAddress?: string
  /** Who is px1, where it is not a proxy that the test plays. */
  readonly px1Uri?: string
}

export async function scene(settings: SceneSettings = {}): Promise<Scene> {
  const { pool = {}, proxyAddress = '127.0.0.1', px1Uri, ...ingress } = settings
  await using stack = new AsyncDisposableStack()
  const px1 = stack.use(await Peer.open(proxyAddress))
  const px2 = stack.use(await Peer.open(proxyAddress))
  const proxies = [
    { id: 'px1', uri: px1Uri ?? px1.uri, tier: 1 },
    { id: 'px2', uri: px2.uri, tier: 2 },
  ]
  const lb = stack.use(await startIngress({ pools: { default: { proxies, ...pool } }, ...ingress }))
  const phone = stack.use(await Phone.open(lb.place, lb.place.address))
  const owned = stack.move()
  const call = () => setUpCall(phone, px1)
  return { lb, px1, px2, phone, call, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function setUpCall(phone: Phone, proxy: Peer): Promise<Call> {
  const invite = phone.ask()
  const asked = await proxy.next('INVITE')
  proxy.answer(asked, 200, { headers: [contactOf(proxy)] })
  const ok = await phone.next(200)
  phone.follow(invite, ok, 'ACK')
  const ack = await proxy.next('ACK')
  // On a busy machine it came again before it was answered.
  proxy.forget('INVITE')
  return { invite, asked, ok, ack }
}

export function contactOf(peer: Peer): string {
  return `Contact: <sip:bob@${peer.hostPort}>`
}

/** A request as the called side of this call sends it, along the Record-Route that it got (RFC 3261, 12.1.1). */
export function fromCallee({ asked, ok }: Pick<Call, 'asked' | 'ok'>, method: string, callee: Peer, cseq = 1): string {
  return [
    `${method} ${/<([^>]*)>/.exec(asked.one('Contact'))?.[1] ?? ''} SIP/2.0`,
    `Via: SIP/2.0/UDP ${callee.hostPort};branch=z9hG4bK${Math.random().toString(36).slice(2)}`,
    ...asked.all('Record-Route').map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${ok.one('To')}`,
    `To: ${ok.one('From')}`,
    `Call-ID: ${ok.one('Call-ID')}`,
    `CSeq: ${cseq} ${method}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}
