import { createHash, randomBytes } from 'node:crypto'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The answer to a challenge by MD5 and qop=auth (RFC 2617, 3.2.2): the value of Authorization. */
export function digestAnswer(
  challenge: string,
  by: { readonly user: string; readonly password: string; readonly method: string; readonly uri: string },
): string {
  const given = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
  const [realm, nonce, cnonce, count] = [given('realm'), given('nonce'), randomBytes(8).toString('hex'), '00000001']
  const secret = md5(`${by.user}:${realm}:${by.password}`)
  const response = md5(`${secret}:${nonce}:${count}:${cnonce}:auth:${md5(`${by.method}:${by.uri}`)}`)
  const quoted = { username: by.user, realm, nonce, uri: by.uri, response, cnonce }
  const parts = Object.entries(quoted).map(([name, value]) => `${name}="${value}"`)
  return `Digest ${parts.join(', ')}, qop=auth, nc=${count}`
}
