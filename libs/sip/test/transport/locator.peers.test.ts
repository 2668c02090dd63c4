import { createLocator } from '@siplb/sip/transport'
import { startNameServer } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { uriOf } from '../locating/zone.ts'

const records = [
  'naptr-record=example.com,10,10,S,SIPS+D2T,,_sips._tcp.example.com',
  'naptr-record=example.com,10,20,S,SIP+D2U,,_sip._udp.example.com',
  'srv-host=_sips._tcp.example.com,px1.example.com,5071,1,10',
  'srv-host=_sip._udp.example.com,px2.example.com,5070,2,10',
  'srv-host=_sip._udp.example.com,px1.example.com,5070,1,10',
  'srv-host=_sip._tcp.plain.example.com,alias.example.com,5072,1,10',
  'host-record=px1.example.com,192.0.2.1,2001:db8::1',
  'host-record=px2.example.com,192.0.2.2',
  'cname=alias.example.com,px2.example.com',
]
const uri = uriOf('sip:example.com;transport=udp')

/** Over a real name server, by a clock in our hands. */
function locatorBy(server: string) {
  const clock = { now: 0 }
  const options = { servers: [server], hostsFile: '/dev/null', roundsMs: [300], random: () => 0 }
  return { clock, locator: createLocator({ ...options, now: () => clock.now }) }
}

const texts = (endpoints: readonly { transport: string; address: string; port: number }[] = []) =>
  endpoints.map(({ transport, address, port }) => `${transport} ${address} ${port}`)

it('finds by NAPTR, SRV, alias and both kinds of addresses what a real name server holds', async () => {
  await using server = await startNameServer({ records })
  const { locator } = locatorBy(server.address)
  const find = async (text: string) => {
    const located = await locator.locate(uriOf(text))
    return located.kind === 'located' ? texts(located.endpoints) : located.code
  }
  expect(await find('sip:example.com')).toEqual([
    'tls 192.0.2.1 5071',
    'tls 2001:db8::1 5071',
    'udp 192.0.2.1 5070',
    'udp 2001:db8::1 5070',
    'udp 192.0.2.2 5070',
  ])
  expect(await find('sips:example.com')).toEqual(['tls 192.0.2.1 5071', 'tls 2001:db8::1 5071'])
  expect(await find('sip:plain.example.com')).toEqual(['tcp 192.0.2.2 5072'])
  expect(await find('sip:alias.example.com;transport=tls')).toEqual(['tls 192.0.2.2 5061'])
  expect(await find('sip:nobody.example.com')).toBe('ENOTFOUND')
})

it('fetches by TCP a set of services that no datagram of 512 octets holds', async () => {
  const many = Array.from({ length: 30 }, (_, n) => [
    `srv-host=_sip._udp.many.example.com,px-of-the-many-${n}.example.com,5060,${n},1`,
    `host-record=px-of-the-many-${n}.example.com,192.0.2.${n + 1}`,
  ])
  await using server = await startNameServer({ records: many.flat() })
  const { locator } = locatorBy(server.address)
  const located = await locator.locate(uriOf('sip:many.example.com;transport=udp'))
  const expected = many.map((_, n) => `udp 192.0.2.${n + 1} 5060`)
  expect(located.kind === 'located' ? texts(located.endpoints) : located).toEqual(expected)
})

it('asks a real server once for many at a time, and again when the time of its answers is over', async () => {
  await using server = await startNameServer({ records, ttlSeconds: 60 })
  const { clock, locator } = locatorBy(server.address)
  const times = () => server.questions().filter((question) => question === 'SRV _sip._udp.example.com').length
  await Promise.all(Array.from({ length: 20 }, () => locator.locate(uri)))
  clock.now = 47_000
  await locator.locate(uri)
  expect(times()).toBe(1)
  clock.now = 61_000
  await locator.locate(uri)
  expect(times()).toBe(2)
})

it('keeps its places through a name server that is silent, gone, or back with nothing, and takes the new ones after', async () => {
  await using server = await startNameServer({ records })
  const { clock, locator } = locatorBy(server.address)
  const fresh = await locator.locate(uri)
  const stale = { ...fresh, isStale: true }
  expect(fresh).toMatchObject({ kind: 'located', isStale: false })
  await server.freeze()
  clock.now += 61_000
  expect(await locator.locate(uri)).toEqual(stale)
  server.thaw()
  await server.stop()
  clock.now += 61_000
  expect(await locator.locate(uri)).toEqual(stale)
  await server.setRecords([])
  clock.now += 61_000
  expect(await locator.locate(uri)).toEqual(stale)
  await server.setRecords([
    'srv-host=_sip._udp.example.com,px3.example.com,5060',
    'host-record=px3.example.com,192.0.2.3',
  ])
  const later = async () => {
    clock.now += 1000
    return locator.locate(uri)
  }
  await expect
    .poll(later, { timeout: 5000 })
    .toMatchObject({ isStale: false, endpoints: [{ address: '192.0.2.3', port: 5060 }] })
})
