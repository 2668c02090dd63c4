import {
  converse,
  makeCertificate,
  ownAddress,
  sipsakOptions,
  startBaresip,
  startLinphone,
  startRegistrar,
  startStack,
  type Registrar,
} from '@siplb/testkit'
import { expect, it } from 'vitest'

const reachedByTls = ({ name, address, tlsPort }: Registrar) => ({
  proxies: [{ id: name, uri: `sip:${address}:${tlsPort};transport=tls` }],
})

it('phones call each other through a Kamailio that is reached by TLS', { timeout: 60_000 }, async () => {
  const address = ownAddress()
  await using ca = await makeCertificate({ names: ['An authority'] })
  await using ours = await makeCertificate({ names: ['127.0.0.1'], ca })
  await using theirs = await makeCertificate({ names: [address], ca })
  await using registrar = await startRegistrar({ address, tls: theirs })
  await using stranger = await startRegistrar({ name: 'stranger', domain: 'stranger.test', tls: theirs })
  const tls = { cert: ours.certPath, key: ours.keyPath, proxyCa: ca.certPath }
  await using balancer = await startStack({
    transports: ['udp', 'tls'],
    config: { ingress: { tls } },
    pools: {
      strange: { match: { domain: 'stranger.test' }, ...reachedByTls(stranger) },
      default: reachedByTls(registrar),
    },
  })
  const { domain, password } = registrar
  const account = { domain, password, caPath: ca.certPath }
  const byUdp = { transport: 'udp', outbound: balancer.sip } as const
  const byTls = { transport: 'tls', outbound: balancer.entrance('tls') } as const
  await using baresip = await startBaresip({ ...account, ...byUdp, user: 'baresip' })
  await using linphone = await startLinphone({ ...account, ...byTls, user: 'linphone' })
  await converse(baresip, linphone, baresip)
  await converse(linphone, baresip, baresip)
  expect(await registrar.bindings('baresip')).toMatchObject([{ path: expect.stringContaining('transport=tls') }])
  // Its certificate is good, and another's.
  const refused = await sipsakOptions({ target: balancer.sip, uri: 'sip:someone@stranger.test' })
  expect(refused.output).toMatch(/^SIP\/2\.0 50[03] /m)
})
