import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { hostsIn } from '../../src/transport/hosts-file.ts'
import { createNameService, type SystemLookup } from '../../src/transport/name-service.ts'
import { replyTo, startOddNameServer } from './odd-name-server.ts'

const denied = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
const nobody: SystemLookup = () => Promise.reject(denied)
const addresses = (...all: readonly string[]) => ({
  kind: 'records',
  records: all.map((address) => ({ type: 'address', address })),
  ttlMs: 30_000,
})

it('reads a hosts file: comments, several names, several lines of one name, nonsense', () => {
  const text =
    '127.0.0.1\tlocalhost Loop # ours\r\n::1 localhost\n# 192.0.2.1 commented\n\nnonsense here\n192.0.2.9 px9\n'
  expect(hostsIn(text)).toEqual(
    new Map([
      ['localhost', ['127.0.0.1', '::1']],
      ['loop', ['127.0.0.1']],
      ['px9', ['192.0.2.9']],
    ]),
  )
})

it('believes the hosts file before any server, and looks for no services of the names in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'siplb-hosts-'))
  const hostsFile = join(folder, 'hosts')
  await writeFile(hostsFile, '192.0.2.1 px1.example.com\n2001:db8::1 px1.example.com\n')
  await using server = await startOddNameServer((asked) => [replyTo(asked)])
  const ask = createNameService({ hostsFile, system: nobody, servers: [`127.0.0.1:${server.server.port}`] })
  expect(await ask({ name: 'px1.example.com', type: 'A' })).toEqual(addresses('192.0.2.1'))
  expect(await ask({ name: 'px1.example.com', type: 'AAAA' })).toEqual(addresses('2001:db8::1'))
  expect(await ask({ name: '_sip._udp.px1.example.com', type: 'SRV' })).toMatchObject({ kind: 'nothing' })
  expect(server.asked.udp).toBe(0)
  await writeFile(hostsFile, '')
  expect(await ask({ name: 'px1.example.com', type: 'A' })).toEqual({ kind: 'nothing', code: 'ENODATA' })
  expect(server.asked.udp).toBe(1)
  await rm(folder, { recursive: true })
})

it('has the system look up names without a dot, and asks no server about them', async () => {
  await using server = await startOddNameServer((asked) => [replyTo(asked)])
  const system: SystemLookup = (name, family) => Promise.resolve(name === 'px1' && family === 4 ? ['10.1.2.3'] : [])
  const ask = createNameService({ hostsFile: '/dev/null', system, servers: [`127.0.0.1:${server.server.port}`] })
  expect(await ask({ name: 'px1', type: 'A' })).toEqual(addresses('10.1.2.3'))
  expect(await ask({ name: 'px1', type: 'AAAA' })).toEqual({ kind: 'nothing', code: 'ENODATA' })
  expect(await ask({ name: 'px1', type: 'NAPTR' })).toEqual({ kind: 'nothing', code: 'ENODATA' })
  expect(await ask({ name: '_sip._tcp.px1', type: 'SRV' })).toEqual({ kind: 'nothing', code: 'ENODATA' })
  expect(server.asked.udp).toBe(0)
})

it('finds localhost by the means of this machine', async () => {
  expect(await createNameService()({ name: 'localhost', type: 'A' })).toMatchObject({ kind: 'records' })
})

it('tells a name that the system denies from a system in trouble', async () => {
  const troubled: SystemLookup = () => Promise.reject(Object.assign(new Error('later'), { code: 'EAI_AGAIN' }))
  const own = { hostsFile: '/dev/null', servers: [] }
  const question = { name: 'px1', type: 'A' } as const
  expect(await createNameService({ ...own, system: nobody })(question)).toEqual({ kind: 'nothing', code: 'ENOTFOUND' })
  expect(await createNameService({ ...own, system: troubled })(question)).toEqual({ kind: 'failed', code: 'EAI_AGAIN' })
})

it('passes over servers that are written wrongly', async () => {
  await using server = await startOddNameServer((asked) => [replyTo(asked, { flags: 3 })])
  const { port } = server.server
  const servers = ['ns.example.com', '127.0.0.1:0', '127.0.0.1:99999', '[127.0.0.1', `127.0.0.1:${port}`]
  const ask = createNameService({ hostsFile: '/dev/null', servers })
  expect(await ask({ name: 'px1.example.com', type: 'A' })).toEqual({ kind: 'nothing', code: 'ENOTFOUND' })
})

it('has the system look up what its servers deny: it may know the name by a search list', async () => {
  await using server = await startOddNameServer((asked) => [replyTo(asked, { flags: 3 })])
  const ours = [`127.0.0.1:${server.server.port}`]
  const system: SystemLookup = () => Promise.resolve(['10.1.2.3'])
  const question = { name: 'px1.sip.svc', type: 'A' } as const
  const own = { hostsFile: '/dev/null', system }
  expect(await createNameService({ ...own, systemServers: () => ours })(question)).toEqual(addresses('10.1.2.3'))
  // Servers of our own choice have the last word.
  expect(await createNameService({ ...own, servers: ours })(question)).toEqual({ kind: 'nothing', code: 'ENOTFOUND' })
})

it('does not ask the system when the name is there, without an address of the kind', async () => {
  await using server = await startOddNameServer((asked) => [replyTo(asked)])
  const system: SystemLookup = () => Promise.reject(new Error('asked'))
  const ask = createNameService({
    hostsFile: '/dev/null',
    system,
    systemServers: () => [`127.0.0.1:${server.server.port}`],
  })
  expect(await ask({ name: 'px1.example.com', type: 'AAAA' })).toEqual({ kind: 'nothing', code: 'ENODATA' })
})
