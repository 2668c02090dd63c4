import type { News } from './news.ts'

/**
 * How much may be said: minor news waits until there was little to say, urgent news never waits, and then all is quiet for a
 * while. So a proxy that flaps says that it went and that it came, and nothing of what it does in between.
 */
export interface Speech {
  readonly tokens: number
  readonly at: number
}

const MOST_TOKENS = 2
const TOKEN_EVERY_MS = 5000

export function newSpeech(now: number): Speech {
  return { tokens: MOST_TOKENS, at: now }
}

export function maySay(speech: Speech, news: News, now: number): boolean {
  return news === 'urgent' || (news === 'minor' && tokensAt(speech, now) >= 1)
}

export function spoken(speech: Speech, news: News, now: number): Speech {
  return { tokens: news === 'urgent' ? 0 : Math.max(0, tokensAt(speech, now) - 1), at: now }
}

function tokensAt({ tokens, at }: Speech, now: number): number {
  return Math.min(MOST_TOKENS, tokens + Math.max(0, now - at) / TOKEN_EVERY_MS)
}
