import { hash, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TokenKey } from '../domain/route-token.ts'
import { uniqueText } from './unique.ts'

const BLOCK = 64
const DIGEST = 32
/** What is signed is rarely longer. */
const USUAL = 1024

/**
 * HMAC-SHA-256 (RFC 2104) by two one-shot hashes: `createHmac` costs six times as much, and this stands on the path of every
 * request. Digests come as text, for one as a Buffer gets memory of its own, which takes longer than the hash.
 */
export function createTokenKey(secret: string): TokenKey {
  const padded = Buffer.alloc(BLOCK)
  const bytes = Buffer.from(secret, 'utf8')
  ;(bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes).copy(padded)
  const usual = Buffer.alloc(USUAL)
  const outer = Buffer.alloc(BLOCK + DIGEST)
  for (let i = 0; i < BLOCK; i++) {
    usual[i] = (padded[i] ?? 0) ^ 0x36
    outer[i] = (padded[i] ?? 0) ^ 0x5c
  }
  return {
    id: hash('sha256', bytes, 'buffer')[0] ?? 0,
    mac(payload, callId) {
      const size = BLOCK + 2 + payload.length + callId.length
      const inner = size <= USUAL ? usual.subarray(0, size) : Buffer.concat([usual.subarray(0, BLOCK)], size)
      // The length parts the two: else octets of one could be passed off as the other's.
      inner.writeUInt16BE(payload.length, BLOCK)
      inner.set(payload, BLOCK + 2)
      inner.write(callId, BLOCK + 2 + payload.length, 'latin1')
      outer.write(hash('sha256', inner, 'binary'), BLOCK, 'latin1')
      return Buffer.from(hash('sha256', outer, 'binary'), 'latin1')
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
