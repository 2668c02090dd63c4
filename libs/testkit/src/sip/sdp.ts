/** A body as calls have it, so that bodies and their lengths travel in every test. */
export function sdp(address: string): string {
  return ['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', 'm=audio 9 RTP/AVP 0', ''].join(
    '\r\n',
  )
}
