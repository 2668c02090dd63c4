import { expect, it } from 'vitest'
import { retryAfterMs } from '../../src/domain/retry-after.ts'
import { response } from '../messages.ts'

it.each([
  [503, ['Retry-After: 20'], 20_000],
  [503, ['retry-after: 120 (in maintenance);duration=60'], 120_000],
  [503, ['Retry-After: 999999'], 3_600_000],
  [503, ['Retry-After: 0'], undefined],
  [503, ['Retry-After: soon'], undefined],
  [503, [], undefined],
  [486, ['Retry-After: 20'], undefined],
])('%i with %j asks for %s ms', (status, headers, ms) => {
  expect(retryAfterMs(response(status, { headers }))).toBe(ms)
})
