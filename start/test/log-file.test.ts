import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openLogFile } from '../log-file.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'siplb-log-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

describe('the log file', () => {
  it('keeps what earlier starts wrote', async () => {
    const path = join(folder, 'start.log')
    openLogFile(path).write('nats', 'first')
    await vi.waitFor(() => expect(textOf(path)).toBe('nats: first\n'))
    openLogFile(path).write('nats', '{"msg":"second"}')
    await vi.waitFor(() => expect(textOf(path)).toBe('nats: first\n{"msg":"second"}\n'))
  })

  it('is put aside when it is full, and the one before goes', async () => {
    const path = join(folder, 'start.log')
    const { write } = openLogFile(path, 20)
    for (const n of [1, 2, 3, 4, 5]) write('a', `line ${n}`)
    await vi.waitFor(() => {
      expect(textOf(path)).toBe('a: line 5\n')
      expect(textOf(`${path}.1`)).toBe('a: line 3\na: line 4\n')
    })
  })

  it('counts what was there before', async () => {
    const path = join(folder, 'start.log')
    openLogFile(path).write('a', 'x'.repeat(30))
    await vi.waitFor(() => expect(textOf(path)).not.toBe(''))
    openLogFile(path, 20).write('a', 'anew')
    await vi.waitFor(() => expect([textOf(`${path}.1`).length, textOf(path)]).toEqual([34, 'a: anew\n']))
  })
})
