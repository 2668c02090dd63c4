import { parseRoutes, type SipRequest } from '@siplb/sip'
import { readWay, sideOf } from '../domain/affinity.ts'
import { readFlow } from '../domain/flow-text.ts'
import type { IngressContext } from './context.ts'
import type { AddressBook } from './surroundings.ts'

/** What the token of a request tells several workers that share their ports. */
export interface Standing {
  /** It has a token of ours: any worker can pass it on. */
  readonly isOfDialog: boolean
  /** The worker of this instance that holds the connection to the phone that it is meant for. */
  readonly holder: number | undefined
}

const unknown: Standing = { isOfDialog: false, holder: undefined }

export function standingOf(ctx: IngressContext, request: SipRequest, addresses: AddressBook): Standing {
  const routes = parseRoutes(request)
  if (routes === undefined) return unknown
  const { token } = readWay(request, routes, addresses, ctx.tokenKeys)
  if (token === undefined) return unknown
  // A datagram goes out by any of us: we all send from the same address.
  const flow = readFlow(token.flow)
  const isHeld =
    flow !== undefined &&
    flow.transport !== 'udp' &&
    token.instance === ctx.self.instance &&
    sideOf(request, token) === 'proxy'
  return { isOfDialog: true, holder: isHeld ? token.worker : undefined }
}
