import type { Traffic } from '@siplb/contracts'
import { expect, it } from 'vitest'
import { WouldBeRates } from '../../src/domain/would-be-rates.ts'

const outcomes = {
  ...{ success: 0, redirection: 0, refusal: 0, cancelled: 0 },
  ...{ unavailable: 0, serverError: 0, timeout: 0, transportError: 0 },
}

function traffic(ingress: string, counts: Record<string, number | undefined>): Traffic {
  const proxies = Object.entries(counts).map(([proxy, shadow]) => ({
    ...{ proxy, requests: 7, inFlight: 0, work: 0, dialogs: 0, outcomes, responseTimes: {} },
    ...(shadow === undefined ? {} : { shadow }),
  }))
  return { ingress, intervalMs: 250, epoch: 1, seq: 1, proxies, dialogsEnded: [] }
}

it('add up what all ingresses counted within the last four seconds', () => {
  const rates = new WouldBeRates()
  rates.heard(traffic('i1', { px1: 100, px2: 100 }), 0)
  rates.heard(traffic('i1', { px1: 6, px2: 2 }), 1000)
  rates.heard(traffic('i2', { px1: 4, px2: 0 }), 1100)
  const rateOf = rates.at(4500)
  expect(['px1', 'px2', 'px3'].map((proxy) => rateOf?.(proxy))).toEqual([2.5, 0.5, 0])
})

it('are not known while no ingress counts, or none does any more', () => {
  const rates = new WouldBeRates()
  expect(rates.at(0)).toBeUndefined()
  rates.heard(traffic('i1', { px1: undefined }), 0)
  expect(rates.at(0)).toBeUndefined()
  rates.heard(traffic('i1', { px1: 0 }), 1000)
  expect(rates.at(1000)?.('px1')).toBe(0)
  expect(rates.at(5000)).toBeUndefined()
  rates.heard(traffic('i1', { px1: undefined }), 6000)
  expect(rates.at(6000)).toBeUndefined()
})
