import { fileURLToPath } from 'node:url'
import { connect, Events, type NatsConnection } from 'nats'
import { DockerComposeEnvironment, PullPolicy, type StartedDockerComposeEnvironment } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { project } from './project.ts'
import { call } from './sip-call.ts'
import { container, freePort, freeUdpRange, linesOf, logsOf } from './support.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const replicas = { ingress: 2, location: 3, weigher: 2, prober: 2 }
const succeeded = { invite: 200, bye: 200, callee: expect.stringContaining('sip:') as string }

describe('docker compose --profile demo up, scaled', () => {
  let stack: StartedDockerComposeEnvironment
  let bus: string
  let natsCrashedAt = 0

  beforeAll(async () => {
    const natsPort = await freePort()
    bus = `nats://127.0.0.1:${natsPort}`
    stack = await new DockerComposeEnvironment(root, 'docker-compose.yml')
      .withProjectName(project)
      .withProfiles('demo')
      .withBuild()
      .withPullPolicy(PullPolicy.neverPull())
      .withEnvironment({
        TAG: 'test',
        SIPLB_NATS_PORT: String(natsPort),
        SIPLB_SIP_PORTS: `127.0.0.1:${await freeUdpRange(10)}`,
      })
      .withClientOptions({
        commandOptions: Object.entries(replicas).flatMap(([service, n]) => ['--scale', `${service}=${n}`]),
      })
      .withStartupTimeout(120_000)
      .up()
  })
  afterAll(() => stack?.down({ removeVolumes: true, timeout: 1000 }))

  it('brings calls through each published port to more than one proxy', async () => {
    showLogsOnFailure()
    const ports = await sipPorts()
    expect(new Set(ports).size).toBe(replicas.ingress)
    for (const port of ports) {
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(port)))
      expect(outcomes).toEqual(outcomes.map(() => succeeded))
      expect(new Set(outcomes.map(({ callee }) => callee)).size).toBeGreaterThan(1)
    }
  })

  it('goes on with a dialog through the ingress that did not set it up', async () => {
    showLogsOnFailure()
    const [one = 0, other = 0] = await sipPorts()
    expect(await call(one, other)).toEqual(succeeded)
    expect(await call(other, one)).toEqual(succeeded)
  })

  it('lets a program outside hear that weights change', async () => {
    showLogsOnFailure()
    const nc = await enter('operator')
    const heard: unknown[] = []
    nc.subscribe('siplb.v1.evt.weights.changed.>', {
      callback: (error, message) => heard.push(error ?? message.json()),
    })
    const drain = await nc.request('siplb.v1.cmd.proxies.drain', JSON.stringify({ pool: 'default', proxy: 'px3' }), {
      timeout: 5000,
    })
    expect(drain.headers?.get('Nats-Service-Error') ?? '').toBe('')
    await expect
      .poll(() => heard, { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({
          type: 'siplb.weights.changed.v1',
          data: expect.objectContaining({
            pool: 'default',
            proxies: expect.arrayContaining([expect.objectContaining({ id: 'px3', weight: 0 })]),
          }),
        }),
      )
    await nc.request('siplb.v1.cmd.proxies.enable', JSON.stringify({ pool: 'default', proxy: 'px3' }), {
      timeout: 5000,
    })
    await nc.close()
  })

  it('refuses a program that would publish weights', async () => {
    const nc = await enter('programs')
    const refused: unknown[] = []
    void (async () => {
      for await (const status of nc.status()) if (status.type === Events.Error) refused.push(status.permissionContext)
    })()
    nc.publish('siplb.v1.evt.weights.changed.default', '{}')
    nc.publish('siplb.v1.evt.load.default', '{}')
    await nc.flush()
    await expect
      .poll(() => refused)
      .toEqual([expect.objectContaining({ operation: 'publish', subject: 'siplb.v1.evt.weights.changed.default' })])
    await nc.close()
  })

  // Each has 60 s to come back: Docker waits longer and longer before it restarts, and the machine may be small.
  it.each(['location', 'weigher', 'prober', 'ingress', 'nats'])(
    'brings calls through when a %s crashes',
    async (service) => {
      showLogsOnFailure()
      const victim = await container(service)
      if (service === 'nats') natsCrashedAt = Date.now()
      await victim.crash()
      const ports = service === 'ingress' ? (await sipPorts()).slice(1) : await sipPorts()
      for (const port of ports) {
        const outcomes = await Promise.all(Array.from({ length: 5 }, () => call(port)))
        expect(outcomes).toEqual(outcomes.map(() => succeeded))
      }
      await expect.poll(() => victim.isHealthy(), { timeout: 60_000, interval: 200 }).toBe(true)
      for (const port of await sipPorts()) expect(await call(port)).toEqual(succeeded)
    },
    120_000,
  )

  it('keeps the last tables and the key of its tokens on the volume that every ingress shares', async () => {
    const [here, there] = [await container('ingress', 1), await container('ingress', 2)]
    await expect.poll(() => here.read('/var/lib/siplb/tables/default.json')).toContain('"px1"')
    const key = await here.read('/var/lib/siplb/token.key')
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await there.read('/var/lib/siplb/token.key')).toBe(key)
    expect(linesOf('not kept on disk', 'ingress')).toEqual([])
  })

  it('is refused nothing by NATS but what the program tried', () => {
    const refusals = linesOf('Violation', 'nats').filter((line) => !isLateAnswer(line, natsCrashedAt))
    expect(refusals.filter((line) => !line.includes('User "programs"'))).toEqual([])
    expect(refusals).toHaveLength(1)
  })

  async function enter(user: string): Promise<NatsConnection> {
    return connect({ servers: bus, user, pass: `${user}-laptop` })
  }
})

/** What was asked of the server that crashed is answered to the one that came after, which knows of no question. */
function isLateAnswer(line: string, crashedAt: number): boolean {
  const [, day = '', time = ''] =
    /(\d{4}\/\d\d\/\d\d) ([\d:.]+) \[ERR\].*Publish Violation .*"_INBOX\./.exec(line) ?? []
  const at = Date.parse(`${day.replaceAll('/', '-')}T${time}Z`)
  return at >= crashedAt && at < crashedAt + 10_000
}

async function sipPorts(): Promise<number[]> {
  const boxes = await Promise.all(Array.from({ length: replicas.ingress }, (_, i) => container('ingress', i + 1)))
  return Promise.all(boxes.map((box) => box.publishedPort('5060/udp')))
}

function showLogsOnFailure(): void {
  onTestFailed(() =>
    console.log(logsOf('ingress', 'location', 'weigher', 'prober', 'nats').split('\n').slice(-150).join('\n')),
  )
}
