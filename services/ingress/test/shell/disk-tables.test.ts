import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskTables } from '../../src/shell/disk-tables.ts'
import { weightTable } from '../weight-tables.ts'

describe('tables on disk', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'siplb-tables-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const table = (pool: string, seq = 1) => weightTable([{ id: 'px1', uri: 'sip:192.0.2.1' }], { pool, seq })

  it('are none at first', () => {
    expect(new DiskTables(join(folder, 'not', 'yet')).read()).toEqual([])
  })

  it('come back as they were written, one for each pool', async () => {
    const disk = new DiskTables(folder)
    await Promise.all([disk.write(table('a')), disk.write(table('b')), disk.write(table('a', 2))])
    expect(new DiskTables(folder).read()).toEqual([table('a', 2), table('b')])
  })

  it('are written in their order, so that the last one stays', async () => {
    const disk = new DiskTables(folder)
    const writes = Array.from({ length: 50 }, (_, i) => disk.write(table('a', i)))
    await Promise.all(writes)
    expect(disk.read()).toEqual([table('a', 49)])
  })

  it('leave nothing half written behind', async () => {
    await new DiskTables(folder).write(table('a'))
    expect(readdirSync(join(folder, 'tables'))).toEqual(['a.json'])
  })

  it('that are broken, foreign or half written are left out, and the others read', async () => {
    const disk = new DiskTables(folder)
    await disk.write(table('good'))
    writeFileSync(join(folder, 'tables', 'broken.json'), '{"pool":"bro')
    writeFileSync(join(folder, 'tables', 'empty.json'), '')
    writeFileSync(join(folder, 'tables', 'foreign.json'), '{"pool":"foreign"}')
    writeFileSync(join(folder, 'tables', 'good.json.4711'), JSON.stringify(table('aside')))
    expect(disk.read()).toEqual([table('good')])
  })

  it('are written again after a write has failed', async () => {
    const disk = new DiskTables(folder)
    rmSync(join(folder, 'tables'), { recursive: true })
    await expect(disk.write(table('a'))).rejects.toThrow('ENOENT')
    const again = new DiskTables(folder)
    await expect(disk.write(table('a', 2))).resolves.toBeUndefined()
    expect(again.read()).toEqual([table('a', 2)])
  })
})
