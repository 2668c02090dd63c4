/** Methods that we count by name; any text can stand in a request, and none of a stranger's becomes a label. */
const known: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'MESSAGE',
  'UPDATE',
])

export function methodLabel(method: string): string {
  return known.has(method) ? method : 'OTHER'
}

/** Never make a dialog, so that a Record-Route would only be weight (RFC 3261, 16.6 step 4). Of an unknown method nobody knows. */
const dialogless: ReadonlySet<string> = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'PRACK',
  'PUBLISH',
  'INFO',
  'MESSAGE',
  'UPDATE',
])

export function mayMakeDialog(method: string): boolean {
  return !dialogless.has(method)
}
