import { addLineBelow, HeaderId, removeFirstValues, replaceRequestUri, type Edit, type SipRequest } from '@siplb/sip'
import type { Way } from './affinity.ts'

/** Whether the next of the route set is a strict router (RFC 2543): its URI says no `lr`. */
export function isNextStrict({ routes, isStrict }: Way): boolean {
  // Behind a strict router the last value is no router but the goal.
  const routers = isStrict ? routes.slice(0, -1) : routes
  return routers[0]?.isLoose === false
}

/**
 * RFC 3261, 16.6 step 6: a strict router wants itself in the Request-URI, and the goal as the last Route. Where a strict router
 * before us has put it there already, it stays.
 */
export function toStrictRouter(request: SipRequest, { routes, ownRoutes, isStrict }: Way): Edit[] {
  const edits = [
    replaceRequestUri(request, routes[0]?.text ?? ''),
    ...removeFirstValues(request, HeaderId.Route, ownRoutes + 1),
  ]
  if (!isStrict) edits.push(addLineBelow(request, HeaderId.Route, `<${request.requestUri}>`))
  return edits
}
