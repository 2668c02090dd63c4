import { describe, it } from 'vitest'
import { Peer } from './peer.ts'
import { Phone } from './phone.ts'
import { scene } from './scene.ts'

describe.concurrent('a new request from a proxy', () => {
  it('is never balanced', async () => {
    await using s = await scene()
    await using proxy = await Phone.open(s.lb.place)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }] } })
    proxy.ask()
    await proxy.next(403)
  })

  it('goes where the pool says, and from there to the next where nobody listens', async () => {
    await using s = await scene()
    await using proxy = await Phone.open(s.lb.place)
    await using carrier = await Peer.open()
    s.lb.reconfigure({
      default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }], outbound: ['sip:no..body', carrier.uri] },
    })
    proxy.ask()
    carrier.answer(await carrier.next('INVITE'), 486)
    await proxy.next(486)
  })
})
