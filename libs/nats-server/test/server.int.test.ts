import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchNatsServer, findNatsServer, startNatsServer } from '@siplb/nats-server'

const { path: binary } = findNatsServer() ?? (await fetchNatsServer())
let storeDir: string
beforeEach(() => void (storeDir = mkdtempSync(join(tmpdir(), 'siplb-server-'))))
afterEach(() => rmSync(storeDir, { recursive: true, force: true }))

describe('a nats-server', () => {
  it('tells when it is gone, and why', async () => {
    const server = await startNatsServer({ binary, storeDir })
    process.kill(server.pid, 'SIGKILL')
    expect(await server.exited).toBe('SIGKILL')
  })

  it('refuses a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await expect(startNatsServer({ binary, storeDir, port: port ?? 0 })).rejects.toMatchObject({ code: 'port-taken' })
    other.close()
  })

  it('gives the last words of a server that does not start', async () => {
    const started = startNatsServer({ binary, storeDir, args: ['--config', '/does/not/exist'] })
    await expect(started).rejects.toMatchObject({ code: 'not-started' })
    await expect(started).rejects.toThrow('/does/not/exist')
  })
})
