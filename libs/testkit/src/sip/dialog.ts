import {
  addressOf,
  cseqOf,
  paramOf,
  uriOf,
  valueOf,
  valuesOf,
  type Address,
  type Header,
  type Request,
  type Response,
} from './message.ts'

/** One side of a dialog (RFC 3261, 12). Routes are loose: the Request-URI is always the other side's Contact. */
export interface Dialog {
  readonly callId: string
  /** From and To of requests of this side, with their tags. */
  readonly local: string
  readonly remote: string
  readonly routes: readonly string[]
  readonly remoteTarget: string
  readonly contact: string
  readonly cseq: number
}

/** The caller's side, by the response that made it: its Record-Route in reverse (12.1.2). */
export function callerDialog(invite: Request, response: Response): Dialog {
  return {
    callId: valueOf(invite, 'Call-ID'),
    local: valueOf(invite, 'From'),
    remote: valueOf(response, 'To'),
    routes: valuesOf(response, 'Record-Route').toReversed(),
    remoteTarget: uriOf(valueOf(response, 'Contact')),
    contact: valueOf(invite, 'Contact'),
    cseq: cseqOf(invite).number,
  }
}

/** The side that was called, by its own response: the Record-Route in order (12.1.1). */
export function calledDialog(invite: Request, response: Response): Dialog {
  return {
    callId: valueOf(invite, 'Call-ID'),
    local: valueOf(response, 'To'),
    remote: valueOf(invite, 'From'),
    routes: valuesOf(invite, 'Record-Route'),
    remoteTarget: uriOf(valueOf(invite, 'Contact')),
    contact: valueOf(response, 'Contact'),
    cseq: 0,
  }
}

export interface DialogRequest {
  readonly dialog: Dialog
  readonly request: Request
  /** The topmost route, else the other side itself. */
  readonly to: Address
}

/** The next request of this side, and the dialog after it. An ACK repeats the number of its INVITE (13.2.2.4). */
export function nextRequest(dialog: Dialog, method: string, body = ''): DialogRequest {
  const cseq = method === 'ACK' ? dialog.cseq : dialog.cseq + 1
  const headers: Header[] = [
    ...dialog.routes.map((route): Header => ['Route', route]),
    ['Max-Forwards', '70'],
    ['From', dialog.local],
    ['To', dialog.remote],
    ['Call-ID', dialog.callId],
    ['CSeq', `${cseq} ${method}`],
    ['Contact', dialog.contact],
    ...(body === '' ? [] : [['Content-Type', 'application/sdp'] as const]),
  ]
  return {
    dialog: { ...dialog, cseq },
    request: { kind: 'request', method, uri: dialog.remoteTarget, headers, body },
    to: addressOf(dialog.routes[0] === undefined ? dialog.remoteTarget : uriOf(dialog.routes[0])),
  }
}

/** Is this request one of the dialog's other side? */
export function belongsTo(dialog: Dialog, request: Request): boolean {
  return (
    valueOf(request, 'Call-ID') === dialog.callId &&
    paramOf(valueOf(request, 'From'), 'tag') === paramOf(dialog.remote, 'tag') &&
    paramOf(valueOf(request, 'To'), 'tag') === paramOf(dialog.local, 'tag')
  )
}
