import { replaceRequestUri, type Edit, type SipRequest, type Uri } from '@siplb/sip'

/**
 * RFC 3261, 16.4: a `maddr` that means us has done its work, and goes with the port and transport by which it was to be reached.
 * One that means somebody else is left as it is, and never followed: callers do not choose where we send.
 */
export function withoutMaddr(request: SipRequest): Edit {
  const { requestUri, uri } = request
  // Semicolons may stand in the user part too.
  const hostStart = requestUri.indexOf('@') + 1
  const [, ...params] = requestUri.slice(hostStart).split(';')
  const kept = params.filter((param) => !isHandled(param))
  return replaceRequestUri(request, [`${beforeHost(uri, requestUri, hostStart)}${uri.host}`, ...kept].join(';'))
}

function beforeHost({ scheme }: Uri, requestUri: string, hostStart: number): string {
  return hostStart === 0 ? `${scheme}:` : requestUri.slice(0, hostStart)
}

function isHandled(param: string): boolean {
  const name = param.split('=', 1)[0]?.toLowerCase()
  return name === 'maddr' || name === 'transport'
}
