import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findNatsServer } from '@siplb/nats-server'

let home: string
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'siplb-find-'))))
afterEach(() => rmSync(home, { recursive: true, force: true }))

function program(...folders: string[]): string {
  const folder = join(home, ...folders)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'nats-server')
  writeFileSync(path, '')
  chmodSync(path, 0o755)
  return path
}

describe('finding a nats-server', () => {
  it('takes the first on PATH', () => {
    program('b')
    const path = program('a')
    const env = { PATH: `${join(home, 'a')}:${join(home, 'b')}`, XDG_CACHE_HOME: home }
    expect(findNatsServer({ env })).toEqual({ path, origin: 'path' })
  })

  it('takes the fetched one only where none is installed', () => {
    const path = program('cache', 'siplb')
    const env = { XDG_CACHE_HOME: join(home, 'cache') }
    expect(findNatsServer({ env, directories: [home] })).toEqual({ path, origin: 'cache' })
    const installed = program()
    expect(findNatsServer({ env, directories: [home] })).toEqual({ path: installed, origin: 'path' })
  })

  it('passes over a file that cannot be run', () => {
    chmodSync(program(), 0o644)
    expect(findNatsServer({ env: { XDG_CACHE_HOME: home }, directories: [home] })).toBeUndefined()
  })
})
