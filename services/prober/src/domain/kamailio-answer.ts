import { unusable, type LoadAnswer } from './load-answer.ts'
import type { Figures } from './load-report.ts'

/**
 * Kamailio's statistics over JSON-RPC (its modules jsonrpcs, xhttp and tmx). `active_transactions` have no final answer yet: work.
 * `inuse_transactions` keeps each for 5 s more, and so counts requests per second rather than load; it is told as a detail.
 */
export const kamailioQuestion = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'stats.fetchn',
  params: ['tmx:active_transactions', 'tmx:inuse_transactions'],
})

/** Asked for as `tmx:active_transactions`, it is answered as `tmx.active_transactions` (5.6). */
export function readKamailioAnswer(text: string): LoadAnswer {
  const result = resultOf(text)
  if (result === undefined) return unusable('not a JSON-RPC result')
  const active = count(result['tmx.active_transactions'])
  if (active === undefined) {
    return unusable('no tmx:active_transactions in the answer; load the module tmx in Kamailio')
  }
  const inuse = count(result['tmx.inuse_transactions'])
  const details: Figures = inuse === undefined ? { active } : { active, inuse }
  return { kind: 'report', report: { kind: 'active', active, capacity: undefined, details } }
}

function resultOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) && isRecord(parsed['result']) ? parsed['result'] : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// stats.fetchn gives numbers, stats.fetch the same as text.
function count(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined
}
