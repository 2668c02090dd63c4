import { sideOf } from '../domain/affinity.ts'
import { readFlow } from '../domain/flow-text.ts'
import type { Arrival } from './arrival.ts'
import type { Self } from './context.ts'

/** What the token of a request tells several workers that share their ports. */
export interface Standing {
  /** It has a token of ours: any worker can pass it on. */
  readonly isOfDialog: boolean
  /** The worker of this instance that holds the connection to the phone that it is meant for. */
  readonly holder: number | undefined
}

const unknown: Standing = { isOfDialog: false, holder: undefined }

export function standingOf({ request, way }: Arrival, self: Self): Standing {
  const { token } = way
  if (token === undefined) return unknown
  // A datagram goes out by any of us: we all send from the same address.
  const flow = readFlow(token.flow)
  const isHeld =
    flow !== undefined &&
    flow.transport !== 'udp' &&
    token.instance === self.instance &&
    sideOf(request, token) === 'proxy'
  return { isOfDialog: true, holder: isHeld ? token.worker : undefined }
}
