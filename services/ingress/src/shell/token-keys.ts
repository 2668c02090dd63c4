import { hash, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TokenKey } from '../domain/route-token.ts'
import { uniqueText } from './unique.ts'

const BLOCK = 64

/**
 * HMAC-SHA-256 (RFC 2104) by two one-shot hashes: `createHmac` costs six times as much, and this stands on the path of every
 * request.
 */
export function createTokenKey(secret: string): TokenKey {
  const padded = Buffer.alloc(BLOCK)
  const bytes = Buffer.from(secret, 'utf8')
  ;(bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes).copy(padded)
  const inner = padded.map((octet) => octet ^ 0x36)
  const outer = padded.map((octet) => octet ^ 0x5c)
  return {
    id: hash('sha256', bytes, 'buffer')[0] ?? 0,
    mac(payload, callId) {
      // The length parts the two: else octets of one could be passed off as the other's.
      const length = Buffer.of(payload.length >> 8, payload.length & 0xff)
      const digest = hash('sha256', Buffer.concat([inner, length, payload, Buffer.from(callId, 'latin1')]), 'buffer')
      return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
    },
  }
}

/** The secret of this installation where none is configured: made once, kept in the state folder. */
export function keptSecret(stateDir: string): string {
  const file = join(stateDir, 'token.key')
  mkdirSync(stateDir, { recursive: true })
  if (!existsSync(file)) {
    // Written aside and linked: of several that start at once one gives the name, and all read a whole secret.
    const aside = `${file}.${uniqueText()}`
    writeFileSync(aside, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
    try {
      linkSync(aside, file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      unlinkSync(aside)
    }
  }
  return readFileSync(file, 'utf8').trim()
}
