import { unusable, type LoadAnswer } from '../../domain/load-answer.ts'
import { readPrometheus, type Wanted } from '../../domain/prometheus-text.ts'
import { askForText } from './http-text.ts'

/** Large exporters tell some 300 KB. */
const MAX_OCTETS = 1_048_576

/** Scrapes what any program tells of the proxy in the Prometheus text format: its own page, or that of an exporter. */
export async function askPrometheus(url: string, wanted: Wanted, signal: AbortSignal): Promise<LoadAnswer> {
  const answer = await askForText({ url, accept: 'text/plain;version=0.0.4', maxOctets: MAX_OCTETS, signal })
  return answer.kind === 'text' ? readPrometheus(answer.text, wanted) : unusable(answer.problem)
}
