import { hash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TokenKey } from '../domain/route-token.ts'

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
      const digest = hash('sha256', Buffer.concat([inner, payload, Buffer.from(callId, 'latin1')]), 'buffer')
      return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
    },
  }
}

/** The secret of this installation where none is configured: made once, kept in the state folder. */
export function keptSecret(stateDir: string): string {
  const file = join(stateDir, 'token.key')
  mkdirSync(stateDir, { recursive: true })
  try {
    // `wx`: of several that start at once, one makes it, and the others read it.
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readFileSync(file, 'utf8').trim()
}
