import { kamailioQuestion, readKamailioAnswer } from '../../domain/kamailio-answer.ts'
import { unusable, type LoadAnswer } from '../../domain/load-answer.ts'
import { askForText } from './http-text.ts'

/** Two statistics are 110 octets. */
const MAX_OCTETS = 16_384

/** Asks a Kamailio for its transactions by JSON-RPC over HTTP. */
export async function askKamailio(url: string, signal: AbortSignal): Promise<LoadAnswer> {
  const body = { type: 'application/json', text: kamailioQuestion }
  const answer = await askForText({ url, body, maxOctets: MAX_OCTETS, signal })
  return answer.kind === 'text' ? readKamailioAnswer(answer.text) : unusable(answer.problem)
}
