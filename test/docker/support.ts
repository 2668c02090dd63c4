import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { getContainerRuntimeClient } from 'testcontainers'
import { project } from './project.ts'

/** A container of the stack, by its service and number. */
export async function container(service: string, number = 1) {
  const { container: client } = await getContainerRuntimeClient()
  const box = client.dockerode.getContainer(`${project}-${service}-${number}`)
  const state = async () => (await box.inspect()).State
  return {
    /** `kill -9` from inside, as a crash is: `docker kill` is taken for a wish, and no restart policy undoes it. */
    async crash(): Promise<void> {
      const { Pid: before } = await state()
      const exec = await box.exec({ Cmd: ['sh', '-c', 'kill -9 -1'] })
      await exec.start({ Detach: true })
      while ((await state()).Pid === before) await new Promise((resolve) => setTimeout(resolve, 10))
    },
    /** A file in it, without the space around. */
    async read(path: string): Promise<string> {
      const { output } = await client.exec(box, ['cat', path])
      return output.trim()
    },
    async isHealthy(): Promise<boolean> {
      const { Running, Health } = await state()
      return Running && Health?.Status === 'healthy'
    },
    /** Chosen anew at each start of the container. */
    async publishedPort(port: string): Promise<number> {
      return Number((await box.inspect()).NetworkSettings.Ports[port]?.[0]?.HostPort)
    },
  }
}

export function logsOf(...services: string[]): string {
  const args = ['compose', '-p', project, 'logs', '--no-color', ...services]
  return execFileSync('docker', args, { encoding: 'utf8', maxBuffer: 2 ** 27 })
}

/** The lines of a service's log that hold a text. */
export function linesOf(text: string, service: string): string[] {
  return logsOf(service)
    .split('\n')
    .filter((line) => line.includes(text))
}

/** A TCP port that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address === null || typeof address === 'string' ? reject(new Error('no port')) : resolve(address.port),
      )
    })
  })
}

/** So many neighbouring UDP ports that nobody has, as a range for compose. */
export async function freeUdpRange(length: number): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const ports = Array.from({ length }, (_, i) => first + i)
    const areFree = await Promise.all(ports.map(isFree))
    if (areFree.every(Boolean)) return `${first}-${first + length - 1}`
  }
  throw new Error(`no ${length} neighbouring UDP ports are free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind(port, () => socket.close(() => resolve(true)))
  })
}
