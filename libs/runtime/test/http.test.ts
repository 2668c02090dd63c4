import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createHttp, createLogger, createRegistry, Gauge, type HttpServer, type Readiness } from '@siplb/runtime'

const log = createLogger('test', 'test-1', { level: 'silent' })

interface Setting {
  readonly readiness?: () => Readiness
  readonly address?: string
  readonly port?: number
  readonly registry?: ReturnType<typeof createRegistry>
}

function httpOf({ readiness, address = '127.0.0.1', port = 0, registry = createRegistry() }: Setting = {}): HttpServer {
  return createHttp({ address, port, registry, log, readiness: readiness ?? (() => ({ isReady: true, details: {} })) })
}

async function started(setting: Setting = {}) {
  const http = httpOf(setting)
  await http.start?.()
  return {
    http,
    ask: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${http.port()}${path}`, { method }),
    [Symbol.asyncDispose]: async () => http.stop?.(),
  }
}

describe('http', () => {
  it('says that the event loop turns, ready or not', async () => {
    await using server = await started({ readiness: () => ({ isReady: false, details: {} }) })
    const response = await server.ask('/livez')
    expect([response.status, await response.json()]).toEqual([200, { live: true }])
    expect(response.headers.get('content-type')).toBe('application/json')
  })

  it('says whether it can serve, as things are now, with facts for a person', async () => {
    let isReady = false
    await using server = await started({
      readiness: () => ({ isReady, details: { bus: isReady ? 'connected' : 'gone' } }),
    })
    const before = await server.ask('/readyz')
    expect([before.status, await before.json()]).toEqual([503, { ready: false, bus: 'gone' }])
    isReady = true
    const after = await server.ask('/readyz?verbose')
    expect([after.status, await after.json()]).toEqual([200, { ready: true, bus: 'connected' }])
  })

  it('shows the metrics as Prometheus text', async () => {
    const registry = createRegistry()
    new Gauge({ name: 'siplb_test', help: 'Of a test.', registers: [registry] }).set(7)
    await using server = await started({ registry })
    const response = await server.ask('/metrics')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    expect(text).toMatch(/^# TYPE siplb_test gauge\nsiplb_test 7$/m)
    expect(text).toMatch(/^process_cpu_seconds_total \d/m)
  })

  it('names what there is to somebody who asks for something else', async () => {
    await using server = await started()
    for (const path of ['/', '/nothing', '/livez/', '//livez']) {
      const response = await server.ask(path)
      expect([path, response.status]).toEqual([path, 404])
      expect(await response.text()).toBe('there is /livez, /readyz and /metrics\n')
    }
  })

  it('answers 500 when it cannot find out, and goes on', async () => {
    let isBroken = true
    await using server = await started({
      readiness: () => {
        if (isBroken) throw new Error('no idea')
        return { isReady: true, details: {} }
      },
    })
    expect((await server.ask('/readyz')).status).toBe(500)
    isBroken = false
    expect((await server.ask('/readyz')).status).toBe(200)
  })

  it('tells its port: the configured one, and with 0 the one that it got', async () => {
    expect(httpOf({ port: 9101 }).port()).toBe(9101)
    const http = httpOf()
    expect(http.port()).toBe(0)
    await http.start?.()
    expect(http.port()).toBeGreaterThan(0)
    await http.stop?.()
  })

  it('says what to do when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    await expect(httpOf({ port }).start?.()).rejects.toMatchObject({
      message: `http cannot listen on 127.0.0.1:${port}; set http.port to a free one`,
      cause: { code: 'EADDRINUSE' },
    })
    other.close()
  })

  it('says what to do when its address is none of this machine', async () => {
    // RFC 5737: an address for documentation, which nobody has.
    await expect(httpOf({ address: '192.0.2.1' }).start?.()).rejects.toMatchObject({
      message: 'http cannot listen on 192.0.2.1:0; set http.address to one of this machine',
      cause: { code: 'EADDRNOTAVAIL' },
    })
  })

  it('stops at once, though somebody keeps a connection open or is slow to ask', async () => {
    const server = await started()
    const port = server.http.port()
    expect((await server.ask('/livez')).status).toBe(200) // by a connection that is kept
    const slow = connect(port, '127.0.0.1').on('error', () => {})
    slow.write('GET /livez HTT')
    expect((await server.ask('/livez')).status).toBe(200)
    const since = performance.now()
    await server.http.stop?.()
    expect(performance.now() - since).toBeLessThan(1000)
    const [refused] = await once(connect(port, '127.0.0.1'), 'error')
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    slow.destroy()
  })

  it('may be stopped without having been started', async () => {
    await httpOf().stop?.()
  })
})
