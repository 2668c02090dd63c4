import { createLocator } from '@siplb/sip/transport'
import { expect, it } from 'vitest'
import { keyOf, type Outcome, type Question } from '../../src/locating/records.ts'
import { address, outcomeIn, srv, uriOf, type Zone } from '../locating/zone.ts'

const HOUR = 60 * 60_000
const uri = uriOf('sip:example.com')
const px = (n: number) => ({ transport: 'udp', address: `192.0.2.${n}`, port: 5060 })
const zone: Zone = {
  'SRV _sip._udp.example.com': [srv(1, 1, 5060, 'px1.example.com')],
  'A px1.example.com': [address('192.0.2.1')],
}

/** A locator whose name service and clock are in our hands. */
function locatorOver(first: Zone) {
  const hands = { zone: first, now: 0, trouble: undefined as Outcome | undefined, asked: [] as string[] }
  const ask = (question: Question): Promise<Outcome> => {
    hands.asked.push(keyOf(question))
    return Promise.resolve(hands.trouble ?? outcomeIn(hands.zone, question))
  }
  return { hands, locator: createLocator({ now: () => hands.now, random: () => 0, ask }) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

it('asks once for what several want at the same time, and not again while the answer is good', async () => {
  const { hands, locator } = locatorOver(zone)
  const all = await Promise.all(Array.from({ length: 50 }, () => locator.locate(uri)))
  for (const located of all) expect(located).toEqual({ kind: 'located', endpoints: [px(1)], isStale: false })
  await locator.locate(uri)
  expect(hands.asked).toHaveLength(new Set(hands.asked).size)
  expect(hands.asked).toHaveLength(6)
})

it('renews an answer in the background shortly before its time is over, without making anybody wait', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.zone = { ...zone, 'A px1.example.com': [address('192.0.2.2')] }
  hands.now = 50_000
  expect(locator.known(uri)).toEqual([px(1)])
  expect(hands.asked).toContain('A px1.example.com')
  await settled()
  expect(locator.known(uri)).toEqual([px(2)])
})

it.each<[string, Outcome]>([
  ['fails', { kind: 'failed', code: 'ESERVFAIL' }],
  ['denies everything', { kind: 'nothing', code: 'ENOTFOUND' }],
])('keeps the last good places for an hour when the name server %s', async (_, trouble) => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.trouble = trouble
  for (hands.now = 60_000; hands.now < HOUR; hands.now += 60_000) {
    expect(await locator.locate(uri)).toEqual({ kind: 'located', endpoints: [px(1)], isStale: true })
    expect(locator.known(uri)).toEqual([px(1)])
  }
  hands.now = HOUR + 61_000
  expect(locator.known(uri)).toBeUndefined()
  expect(await locator.locate(uri)).toMatchObject({ kind: 'unlocated', host: 'example.com' })
})

it('takes the new places at once when the name server is well again', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.trouble = { kind: 'failed', code: 'ETIMEOUT' }
  hands.now = 60_000
  await locator.locate(uri)
  hands.trouble = undefined
  hands.zone = { ...zone, 'A px1.example.com': [address('192.0.2.2')] }
  hands.now = 63_000
  expect(await locator.locate(uri)).toMatchObject({ endpoints: [px(1)] })
  await settled()
  expect(await locator.locate(uri)).toEqual({ kind: 'located', endpoints: [px(2)], isStale: false })
})

it('still knows the old place while new records lead to a name that nobody has looked up', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.zone = {
    'SRV _sip._udp.example.com': [srv(1, 1, 5060, 'px2.example.com')],
    'A px2.example.com': [address('192.0.2.2')],
  }
  hands.now = 50_000
  expect(locator.known(uri)).toEqual([px(1)])
  await settled()
  expect(locator.known(uri)).toEqual([px(1)])
  await settled()
  expect(locator.known(uri)).toEqual([px(2)])
})

it('keeps the old place when new records lead nowhere', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.zone = { 'SRV _sip._udp.example.com': [srv(1, 1, 5060, 'px2.example.com')] }
  hands.now = 60_000
  expect(await locator.locate(uri)).toEqual({ kind: 'located', endpoints: [px(1)], isStale: true })
})

it('lets go of it when the domain says that there is no such service', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.zone = { 'SRV _sip._udp.example.com': [srv(0, 0, 0, '')] }
  hands.now = 60_000
  expect(await locator.locate(uri)).toEqual({ kind: 'unlocated', host: 'example.com', code: 'ENOSERVICE' })
})

it('asks again on demand, though its answers are still good', async () => {
  const { hands, locator } = locatorOver(zone)
  await locator.locate(uri)
  hands.zone = { ...zone, 'A px1.example.com': [address('192.0.2.2')] }
  expect(await locator.locate(uri)).toMatchObject({ endpoints: [px(1)] })
  expect(await locator.locateAnew(uri)).toMatchObject({ endpoints: [px(2)] })
  expect(await locator.locate(uri)).toMatchObject({ endpoints: [px(2)] })
})

it('remembers for seconds that there was nothing', async () => {
  const { hands, locator } = locatorOver({})
  const unlocated = { kind: 'unlocated', host: 'example.com', code: 'ENOTFOUND' }
  expect(await locator.locate(uri)).toEqual(unlocated)
  const before = hands.asked.length
  expect(await locator.locate(uri)).toEqual(unlocated)
  expect(hands.asked).toHaveLength(before)
  hands.now = 5000
  hands.zone = { 'A example.com': [address('192.0.2.7')] }
  expect(await locator.locate(uri)).toMatchObject({ endpoints: [px(7)] })
})

it('serves who asked with an answer whose time is zero', async () => {
  const asked: string[] = []
  let now = 0
  const ask = (question: Question): Promise<Outcome> => {
    asked.push(keyOf(question))
    now += 2000
    return Promise.resolve(outcomeIn(zone, question, 0))
  }
  const locator = createLocator({ now: () => now, random: () => 0, ask })
  expect(await locator.locate(uri)).toMatchObject({ kind: 'located', endpoints: [px(1)] })
})

it('draws the order of equal services anew for `known`, ten times a second', async () => {
  const equal = {
    ...zone,
    'SRV _sip._udp.example.com': [srv(1, 1, 5060, 'px1.example.com'), srv(1, 1, 5060, 'px2.example.com')],
  }
  const hosts = { ...equal, 'A px2.example.com': [address('192.0.2.2')] }
  const hands = { now: 0, chance: 0 }
  const ask = (question: Question) => Promise.resolve(outcomeIn(hosts, question))
  const locator = createLocator({ now: () => hands.now, random: () => hands.chance, ask })
  await locator.locate(uri)
  expect(locator.known(uri)).toEqual([px(1), px(2)])
  hands.chance = 0.99
  expect(locator.known(uri)).toEqual([px(1), px(2)])
  hands.now = 100
  expect(locator.known(uri)).toEqual([px(2), px(1)])
})

it('knows numeric hosts without being asked before, and names only after', async () => {
  const { hands, locator } = locatorOver(zone)
  expect(locator.known(uriOf('sip:192.0.2.1:5070'))).toEqual([{ ...px(1), port: 5070 }])
  expect(locator.known(uri)).toBeUndefined()
  expect(hands.asked).toEqual([])
})

it('finds the sender of a Via by its transport (RFC 3263, 5)', async () => {
  const { hands, locator } = locatorOver({
    'SRV _sip._tcp.lb.example.com': [srv(1, 1, 5070, 'px1.example.com')],
    'A px1.example.com': [address('192.0.2.1')],
  })
  const sentBy = { transport: 'TCP', host: 'lb.example.com', port: undefined }
  expect(await locator.locateSentBy(sentBy)).toMatchObject({ endpoints: [{ transport: 'tcp', port: 5070 }] })
  expect(hands.asked).toEqual(['SRV _sip._tcp.lb.example.com', 'A px1.example.com', 'AAAA px1.example.com'])
  const [via] = [await locator.locateSentBy({ transport: 'UDP', host: '[2001:db8::1]', port: 5090 })]
  expect(via).toMatchObject({ endpoints: [{ transport: 'udp', address: '2001:db8::1', port: 5090 }] })
})

it('never rejects, whatever it is asked for', async () => {
  const { locator } = locatorOver(zone)
  expect(await locator.locate(uriOf('tel:+1'))).toMatchObject({ kind: 'unlocated', code: 'EPROTONOSUPPORT' })
  expect(await locator.locate(uriOf('sip:127.1'))).toMatchObject({ kind: 'unlocated', code: 'EBADNAME' })
  expect(locator.known(uriOf('sip:127.1'))).toBeUndefined()
})
