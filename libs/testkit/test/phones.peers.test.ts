import { join } from 'node:path'
import {
  converse,
  makeCertificate,
  ownAddress,
  runSipp,
  sipsakOptions,
  sipsakRegister,
  startBaresip,
  startLinphone,
  startRegistrar,
  startSipp,
  startStunnel,
  type PhoneTransport,
  type Registrar,
  type TestCertificate,
} from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const scenario = (name: string) =>
  join(import.meta.dirname, '..', '..', '..', 'test', 'peers', 'scenarios', `${name}.xml`)

// Without a balancer in between: what fails here is a fault of the programs or of how they were set up.
describe('real phones at a real registrar', () => {
  let stack: AsyncDisposableStack
  let registrar: Registrar
  let certificate: TestCertificate

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    const address = ownAddress()
    certificate = stack.use(await makeCertificate({ names: [address] }))
    registrar = stack.use(await startRegistrar({ address, tls: certificate }))
  })
  afterAll(() => stack.disposeAsync())

  const account = (user: string, transport: PhoneTransport) => {
    const { domain, password, tlsPort, address, port } = registrar
    const outbound = { address, port: transport === 'tls' ? (tlsPort ?? 0) : port }
    return { user, domain, password, outbound, transport, caPath: certificate.certPath }
  }

  const requests = async () => {
    const names = ['core:rcv_requests_invite', 'core:rcv_requests_bye']
    const [invites = 0, byes = 0] = Object.values(await registrar.statistics(names))
    return { invites, byes }
  }

  it('sipsak asks OPTIONS, and registers after a challenge', async () => {
    const { domain, password } = registrar
    for (const transport of ['udp', 'tcp'] as const) {
      expect(await sipsakOptions({ target: registrar, uri: `sip:${domain}`, transport })).toMatchObject({ exitCode: 0 })
      const user = `sipsak-${transport}`
      const contact = `sip:${user}@127.0.0.9:5060`
      const made = await sipsakRegister({
        target: registrar,
        uri: `sip:${user}@${domain}`,
        transport,
        contact,
        password,
      })
      expect(made.exitCode, made.output).toBe(0)
      expect(await registrar.bindings(user)).toEqual([{ contact, path: '' }])
    }
    expect((await sipsakOptions({ target: registrar, uri: `sip:nobody@${domain}` })).exitCode).not.toBe(0)
  })

  it.each(['udp', 'tcp'] as const)(
    'baresip and linphonec call each other over %s',
    { timeout: 60_000 },
    async (via) => {
      await using baresip = await startBaresip(account(`baresip-${via}`, via))
      await using linphone = await startLinphone(account(`linphone-${via}`, via))
      expect(await registrar.bindings(baresip.user)).toMatchObject([{ path: '' }])
      const before = await requests()
      await converse(baresip, linphone, linphone)
      await converse(linphone, baresip, linphone)
      // Five INVITEs of each call, two of them for each hold that was taken back.
      const after = await requests()
      expect(after.invites - before.invites).toBeGreaterThanOrEqual(10)
      expect(after.byes - before.byes).toBeGreaterThanOrEqual(2)
    },
  )

  it('baresip and linphonec register over TLS; linphonec believes nobody else', async () => {
    await using baresip = await startBaresip(account('baresip-tls', 'tls'))
    await using linphone = await startLinphone(account('linphone-tls', 'tls'))
    for (const { user } of [baresip, linphone]) {
      expect((await registrar.bindings(user))[0]?.contact).toContain('transport=tls')
    }
    await using stranger = await makeCertificate({ names: ['stranger'] })
    const deceived = { ...account('deceived', 'tls'), caPath: stranger.certPath, patienceMs: 1000 }
    await expect(startLinphone(deceived)).rejects.toThrow('did not start')
  })

  it('SIPp calls SIPp over TCP, by one connection or one for each call', async () => {
    for (const transport of ['tcp', 'tcp-per-call'] as const) {
      await using called = await startSipp({ scenario: scenario('uas'), transport: 'tcp' })
      const load = { target: called, calls: 20, ratePerSecond: 100, transport }
      const made = await runSipp({ scenario: scenario('uac-reinvite'), ...load })
      expect(made).toMatchObject({ successful: 20, failed: 0, errors: '' })
    }
  })

  it('stunnel carries what has no TLS to the registrar, and not to a stranger', async () => {
    const { address, domain, tlsPort = 0 } = registrar
    const target = { address, port: tlsPort }
    await using stunnel = await startStunnel({ target, caPath: certificate.certPath })
    const uri = `sip:${domain}`
    const asked = await sipsakOptions({ target: stunnel, uri, transport: 'tcp' })
    expect(asked.exitCode, asked.output).toBe(0)
    await using stranger = await makeCertificate({ names: ['stranger'] })
    await using careful = await startStunnel({ target, caPath: stranger.certPath })
    expect((await sipsakOptions({ target: careful, uri, transport: 'tcp' })).exitCode).not.toBe(0)
  })
})
