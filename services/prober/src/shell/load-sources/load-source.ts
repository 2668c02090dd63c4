import type { LoadSource } from '@siplb/contracts'
import type { LoadAnswer } from '../../domain/load-answer.ts'
import type { LoadSourceName } from '../../metrics.ts'
import { askFreeswitch } from './freeswitch.ts'
import { askKamailio } from './kamailio.ts'
import { askPrometheus } from './prometheus.ts'

/** A way to ask for a load: one file for each kind of program that is asked. */
export interface LoadSourceClient {
  readonly name: LoadSourceName
  /** Never rejects: what goes wrong is the answer. */
  ask(signal: AbortSignal): Promise<LoadAnswer>
  close(): void
}

/** What comes unasked, between the questions. */
export type OnLoad = (answer: LoadAnswer) => void

/** Undefined for a source that is not asked: the header of an answer to a probe. */
export function openLoadSource(source: LoadSource, onLoad: OnLoad): LoadSourceClient | undefined {
  const { url, metric, capacityMetric } = source
  if (url === undefined) return undefined
  switch (source.source) {
    case 'kamailio':
      return { name: 'kamailio', ask: (signal) => askKamailio(url, signal), close: nothing }
    case 'prometheus':
      if (metric === undefined) return undefined
      return {
        name: 'prometheus',
        ask: (signal) => askPrometheus(url, { metric, capacityMetric }, signal),
        close: nothing,
      }
    case 'freeswitch':
      return askFreeswitch(url, source.passwordFile, onLoad)
    case 'header':
      return undefined
  }
}

const nothing = (): void => undefined
