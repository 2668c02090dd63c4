import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fetchNatsServer, findNatsServer, startNatsServer } from '@siplb/nats-server'

it('fetches the package of the operating system into the cache, finds it there afterwards, and it runs', async () => {
  const home = mkdtempSync(join(tmpdir(), 'siplb-cache-'))
  const env = { ...process.env, XDG_CACHE_HOME: home }
  expect(findNatsServer({ env, directories: [] })).toBeUndefined()
  const { path, origin } = await fetchNatsServer({ env })
  expect({ path, origin }).toEqual({ path: join(home, 'siplb', 'nats-server'), origin: 'package' })
  expect(findNatsServer({ env, directories: [] })).toEqual({ path, origin: 'cache' })
  const server = await startNatsServer({ binary: path, storeDir: join(home, 'store') })
  await server.stop()
  rmSync(home, { recursive: true })
})
