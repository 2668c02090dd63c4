import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fetchNatsServer } from '@siplb/nats-server'

it('says how to get a nats-server by hand where there is no apt', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'siplb-empty-'))
  const fetched = fetchNatsServer({ env: { PATH: empty, XDG_CACHE_HOME: empty } })
  await expect(fetched).rejects.toMatchObject({ code: 'fetch-failed' })
  await expect(fetched).rejects.toThrow(
    /there is no apt-get on this machine\. Get it by hand: .*releases.*PATH.*SIPLB_NATS__SERVERS/,
  )
  rmSync(empty, { recursive: true })
})
