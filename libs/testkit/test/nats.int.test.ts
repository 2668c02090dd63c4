import { connect, StorageType } from 'nats'
import { describe, expect, it } from 'vitest'
import { startNats } from '@siplb/testkit'

describe('a nats-server for a test', () => {
  it('serves clients and JetStream on a port of its own', async () => {
    await using a = await startNats()
    await using b = await startNats()
    expect(a.port).not.toBe(b.port)
    const nc = await connect({ servers: a.url })
    const table = await nc.jetstream().views.kv('t')
    await table.put('k', 'v')
    expect((await table.get('k'))?.string()).toBe('v')
    await nc.close()
  })

  it('comes back on the same port with what it had stored', async () => {
    await using nats = await startNats()
    const before = await connect({ servers: nats.url })
    await (await before.jetstream().views.kv('t', { storage: StorageType.File })).put('k', 'v')
    const pid = nats.pid
    await nats.kill()
    await nats.restart()
    expect(nats.pid).not.toBe(pid)
    const after = await connect({ servers: nats.url })
    expect((await (await after.jetstream().views.kv('t')).get('k'))?.string()).toBe('v')
    await after.close()
  })

  it('answers nothing while frozen', async () => {
    await using nats = await startNats()
    const nc = await connect({ servers: nats.url })
    await nats.freeze()
    const answered = await Promise.race([
      nc.flush().then(() => true),
      new Promise((r) => setTimeout(() => r(false), 200)),
    ])
    nats.thaw()
    expect(answered).toBe(false)
    await nc.flush()
    await nc.close()
  })
})
