import { getCACertificates, setDefaultCACertificates } from 'node:tls'
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
  startWebPhone,
  runSipp,
  type PhoneTransport,
  type Registrar,
  type Stack,
  type TestCertificate,
} from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenario } from './scenario.ts'

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
    // The WebSockets of Node take no other authority.
    setDefaultCACertificates([...getCACertificates('default'), certificate.cert])
    registrars = []
    for (const name of ['kam1', 'kam2'])
      registrars.push(stack.use(await startRegistrar({ name, address: ownAddress() })))
    const proxies = registrars.map(({ name, uri }) => ({ id: name, uri }))
    balancer = stack.use(
      await startStack({
        transports: ['udp', 'tcp', 'tls', 'ws', 'wss'],
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

  const homeOf = async (user: string) => {
    for (const one of registrars) if ((await one.bindings(user)).length > 0) return one
    throw new Error(`${user} is registered nowhere`)
  }

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

  it.each(['ws', 'wss'] as const)('a web phone by %s and baresip call each other', async (transport) => {
    const web = { ...account(`web-${transport}`, 'udp'), transport, outbound: balancer.entrance(transport) }
    await using browser = await startWebPhone(web)
    await using baresip = await startBaresip(account(`baresip-${transport}`, 'udp'))
    expect(await bindings(browser.user)).toMatchObject([{ contact: expect.stringContaining('.invalid') }])
    await converse(browser, baresip, baresip)
    await converse(baresip, browser, browser)
  })

  it('calls from behind a proxy reach phones by the connections that they hold', { timeout: 60_000 }, async () => {
    await using stream = new AsyncDisposableStack()
    const web = { ...account('called-web', 'udp'), transport: 'ws', outbound: balancer.entrance('ws') } as const
    const phones = [
      stream.use(await startBaresip(account('called-udp', 'udp'))),
      stream.use(await startLinphone(account('called-tcp', 'tcp'))),
      stream.use(await startLinphone(account('called-tls', 'tls'))),
      stream.use(await startWebPhone(web)),
    ]
    for (const { user } of phones) {
      const home = await homeOf(user)
      const call = { user, domain: 'phones.test', calls: 2, limit: 1, pauseMs: 200 }
      const made = await runSipp({ scenario: scenario('uac'), target: home, ...call })
      expect(made, user).toMatchObject({ successful: 2, failed: 0, errors: '' })
    }
  })

  it.each(['tcp', 'tls'] as const)(
    'who calls a phone whose %s connection is gone hears 430 at once',
    async (transport) => {
      const gone = account(`gone-${transport}`, transport)
      await using phone = await startLinphone(gone)
      const home = await homeOf(phone.user)
      await phone[Symbol.asyncDispose]()
      const call = { user: phone.user, domain: 'phones.test', calls: 1, timeoutMs: 20_000 }
      const made = await runSipp({ scenario: scenario('uac'), target: home, ...call })
      expect(made).toMatchObject({ failed: 1, failures: { UnexpectedMessage: 1 } })
      // RFC 5626, 5.3: the flow failed.
      expect(made.errors).toContain('SIP/2.0 430 ')
    },
  )

  it('a phone that lost its connection is reached by its new one', async () => {
    const back = account('back', 'tcp')
    const before = await startLinphone(back)
    await before[Symbol.asyncDispose]()
    await using after = await startLinphone(back)
    // The registrar knows both contacts, and forks: the old one is refused with 430, the new one answers.
    expect(await bindings(after.user)).toHaveLength(2)
    const call = { user: after.user, domain: 'phones.test', calls: 2, limit: 1, pauseMs: 200 }
    const made = await runSipp({ scenario: scenario('uac'), target: await homeOf(after.user), ...call })
    expect(made).toMatchObject({ successful: 2, failed: 0, errors: '' })
    await using baresip = await startBaresip(account('front', 'tls'))
    await converse(baresip, after, after)
  })
})
