import { expect, it } from 'vitest'
import { besideText, comparedRows } from '../src/shadow-text.ts'
import { tableOf } from './weigher.ts'

const live = tableOf('main', 7, [
  { weight: 100, signals: { requestsPerSecond: 30 } },
  { weight: 50, signals: { requestsPerSecond: 10 }, reason: 'load 0.8, target 0.7' },
])
const shadow = {
  ...tableOf('main', 2, [
    { weight: 100, signals: { requestsPerSecond: 36 } },
    { weight: 5, state: 'recovering', signals: { requestsPerSecond: 4 }, reason: 'load 0.8, target 0.3' },
  ]),
  policy: 'two-choices' as const,
}

it('shows a pool and its shadow side by side, by the requests that were counted', () => {
  expect(besideText({ live, shadow }).split('\n')).toEqual([
    'pool main: least-work; its shadow: two-choices; shares are of the requests of the last seconds',
    'proxy  state  would be    weight  would be  share  would be  reason                would be',
    'px1    up     up             100       100   75 %      90 %  as configured         the same',
    'px2    up     recovering      50         5   25 %      10 %  load 0.8, target 0.7  load 0.8, target 0.3',
  ])
})

it('goes by weights where no requests were counted on either side', () => {
  const idle = { ...shadow, proxies: shadow.proxies.map((row) => ({ ...row, signals: {} })) }
  const { isCounted, proxies } = comparedRows({ live, shadow: idle })
  expect(isCounted).toBe(false)
  expect(proxies.map(({ share, shadowShare = -1 }) => [share.toFixed(2), shadowShare.toFixed(2)])).toEqual([
    ['0.67', '0.95'],
    ['0.33', '0.05'],
  ])
})

it('says of a pool that it has no shadow', () => {
  expect(besideText({ live, shadow: undefined })).toBe('pool main: least-work; no shadow was heard')
})

it('leaves open what the shadow does not know of a proxy', () => {
  const { proxies } = comparedRows({ live, shadow: { ...shadow, proxies: shadow.proxies.slice(0, 1) } })
  expect(proxies[1]).toMatchObject({ id: 'px2', shadowWeight: undefined, shadowShare: undefined })
})
