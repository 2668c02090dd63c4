import {
  makeCertificate,
  runSipp,
  startSipp,
  startStack,
  startStunnel,
  type Address,
  type Stack,
  type Stunnel,
} from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenario } from './scenario.ts'

describe('SIPp on both sides of a balancer, over streams', () => {
  let stack: AsyncDisposableStack
  let balancer: Stack
  let stunnel: Stunnel

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    const certificate = stack.use(await makeCertificate({ names: ['127.0.0.1'] }))
    const called = async (name: 'uas' | 'uas-hangs-up', transport: 'udp' | 'tcp') => {
      const { port } = stack.use(
        await startSipp({ scenario: scenario(name), transport, pauseMs: 50, args: ['-aa'], timeoutMs: 300_000 }),
      )
      const proxies = [{ id: 'px1', uri: `sip:127.0.0.1:${port};transport=${transport}` }]
      return { match: { domain: `${name}.${transport}.test` }, proxies }
    }
    balancer = stack.use(
      await startStack({
        transports: ['udp', 'tcp', 'tls'],
        config: { ingress: { tls: { cert: certificate.certPath, key: certificate.keyPath } } },
        pools: {
          'uas-udp': await called('uas', 'udp'),
          'uas-tcp': await called('uas', 'tcp'),
          'uas-hangs-up-udp': await called('uas-hangs-up', 'udp'),
          'uas-hangs-up-tcp': await called('uas-hangs-up', 'tcp'),
        },
      }),
    )
    stunnel = stack.use(await startStunnel({ target: balancer.entrance('tls'), caPath: certificate.certPath }))
  })
  afterAll(() => stack.disposeAsync())

  const ways = [
    ['UDP', 'udp', () => balancer.sip],
    ['one TCP connection', 'tcp', () => balancer.entrance('tcp')],
    ['a TCP connection for each call', 'tcp-per-call', () => balancer.entrance('tcp')],
    ['one TLS connection', 'tcp', () => stunnel],
    ['a TLS connection for each call', 'tcp-per-call', () => stunnel],
  ] as const satisfies readonly (readonly [string, 'udp' | 'tcp' | 'tcp-per-call', () => Address])[]

  it.each(ways)('calls come by %s and go on by UDP and TCP', async (_, transport, entrance) => {
    for (const [calling, called] of [
      ['uac-reinvite', 'uas'],
      ['uac-hung-up', 'uas-hangs-up'],
    ] as const) {
      for (const onward of ['udp', 'tcp']) {
        const load = { calls: 20, ratePerSecond: 50, pauseMs: 50, domain: `${called}.${onward}.test` }
        const made = await runSipp({ scenario: scenario(calling), target: entrance(), transport, ...load })
        expect(made, onward).toMatchObject({ created: 20, successful: 20, failed: 0, errors: '' })
      }
    }
  })
})
