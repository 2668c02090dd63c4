import {
  converse,
  makeCertificate,
  ownAddress,
  sipsakOptions,
  sipsakRegister,
  startBaresip,
  startLinphone,
  startRegistrar,
  startStack,
  type PhoneTransport,
  type Registrar,
  type Stack,
  type TestCertificate,
} from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// A phone's calls take two ways through the balancer: to the registrar as any call, and from there to the other phone
// along the Path of its registration. Both are in the dialog's route.
describe('phones behind a balancer, two Kamailio as their registrars', () => {
  let stack: AsyncDisposableStack
  let registrars: Registrar[]
  let certificate: TestCertificate
  let balancer: Stack

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    certificate = stack.use(await makeCertificate({ names: ['localhost', '127.0.0.1'] }))
    registrars = []
    for (const name of ['kam1', 'kam2'])
      registrars.push(stack.use(await startRegistrar({ name, address: ownAddress() })))
    const proxies = registrars.map(({ name, uri }) => ({ id: name, uri }))
    balancer = stack.use(
      await startStack({
        transports: ['udp', 'tcp', 'tls'],
        config: { ingress: { tls: { cert: certificate.certPath, key: certificate.keyPath } } },
        pools: { default: { affinity: 'aor', proxies } },
      }),
    )
  })
  afterAll(() => stack.disposeAsync())

  const account = (user: string, transport: PhoneTransport) => ({
    user,
    domain: 'phones.test',
    password: 'secret',
    outbound: balancer.entrance(transport),
    transport,
    caPath: certificate.certPath,
  })
  const bindings = async (user: string) => (await Promise.all(registrars.map((one) => one.bindings(user)))).flat()

  it.each(['udp', 'tcp'] as const)('sipsak asks OPTIONS of the balancer and registers, over %s', async (transport) => {
    const target = balancer.entrance(transport)
    const asked = await sipsakOptions({ target, uri: 'sip:127.0.0.1', transport })
    expect(asked.exitCode, asked.output).toBe(0)
    for (const user of ['sip', 'sak', 'saw'].map((name) => `${name}-${transport}`)) {
      const contact = `sip:${user}@127.0.0.9:5060`
      const uri = `sip:${user}@phones.test`
      for (const again of [1, 2]) {
        const made = await sipsakRegister({ target, uri, transport, contact, password: 'secret' })
        expect(made.exitCode, `the ${again}. time: ${made.output}`).toBe(0)
      }
      // At one of them alone: what was challenged came back to whose nonce it was, and the account to who knows it.
      expect(await bindings(user)).toMatchObject([{ contact, path: expect.stringMatching(/^<sip:.*lr/) }])
    }
  })

  it.each([
    ['udp', 'udp'],
    ['tcp', 'tcp'],
    ['udp', 'tcp'],
    ['tls', 'udp'],
    ['tls', 'tls'],
  ] as const)('baresip over %s and linphonec over %s call each other', { timeout: 60_000 }, async (mine, theirs) => {
    const name = `${mine}-${theirs}`
    await using baresip = await startBaresip(account(`baresip-${name}`, mine))
    await using linphone = await startLinphone(account(`linphone-${name}`, theirs))
    for (const { user } of [baresip, linphone]) {
      expect(await bindings(user)).toMatchObject([{ path: expect.stringMatching(/^<sip:.*lr/) }])
    }
    await converse(baresip, linphone, baresip)
    await converse(baresip, linphone, linphone)
    await converse(linphone, baresip, linphone)
    await converse(linphone, baresip, baresip)
  })
})
