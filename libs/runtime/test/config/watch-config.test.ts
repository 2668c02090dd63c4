import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { formatProblem, reloadMessages, watchConfig } from '@siplb/runtime'

const schema = z.strictObject({
  probe: z.strictObject({ intervalMs: z.int().default(1000) }).prefault({}),
  http: z.strictObject({ port: z.int().default(0) }).prefault({}),
  ingress: z.strictObject({ listen: z.array(z.string()).default([]) }).prefault({}),
})
const said: [text: string, facts: object][] = []
const keep = (facts: object, text: string) => said.push([text, facts])
const log = { info: keep, warn: keep, error: keep }

let folder: string
let stop: (() => Promise<void> | void) | undefined

beforeEach(() => {
  said.length = 0
  folder = mkdtempSync(join(tmpdir(), 'siplb-watch-'))
})

afterEach(() => stop?.())

function watch(file: string, overrides: Record<string, string> = {}): (number | string)[] {
  const seen: (number | string)[] = []
  const component = watchConfig({
    schema,
    source: { file, env: {}, overrides },
    onLoaded: ({ probe }) => seen.push(probe.intervalMs),
    onInvalid: (problems) => seen.push(...problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''))),
    log,
    lookEveryMs: 20,
  })
  void component.start?.()
  stop = () => component.stop?.()
  return seen
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

it('loads anew when an editor puts another file in its place', async () => {
  const seen = watch(write('a.yaml', 'probe: { intervalMs: 100 }'))
  renameSync(write('new', 'probe: { intervalMs: 250 }'), join(folder, 'a.yaml'))
  await vi.waitFor(() => expect(seen).toEqual([250]), 2000)
})

it('loads anew when an orchestrator turns a link to other contents', async () => {
  write('one', 'probe: { intervalMs: 100 }')
  write('two', 'probe: { intervalMs: 300 }')
  symlinkSync('one', join(folder, 'a.yaml'))
  const seen = watch(join(folder, 'a.yaml'))
  symlinkSync('two', join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'a.yaml'))
  await vi.waitFor(() => expect(seen).toEqual([300]), 2000)
})

it('loads anew on SIGHUP, flags winning as at the start', async () => {
  const seen = watch(write('a.yaml', 'probe: { intervalMs: 100 }'), { 'probe.intervalMs': '700' })
  process.kill(process.pid, 'SIGHUP')
  await vi.waitFor(() => expect(seen).toEqual([700]), 2000)
})

it('takes a change and the SIGHUP for it as one', async () => {
  const seen = watch(write('a.yaml', 'probe: { intervalMs: 100 }'))
  write('a.yaml', 'probe: { intervalMs: 200 }')
  process.kill(process.pid, 'SIGHUP')
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(seen).toEqual([200])
})

it('hands on nothing of a file in which anything is wrong', async () => {
  const file = write('a.yaml', 'probe: { intervalMs: 100 }')
  const seen = watch(file)
  write('a.yaml', 'probe:\n  intervalMs: 200\n  often: true\n')
  process.kill(process.pid, 'SIGHUP')
  await vi.waitFor(() => expect(seen).toEqual(['a.yaml:3:3: probe.often: is no key here; there is intervalMs']), 2000)
})

it('says once that the file is gone, and takes it when it is back', async () => {
  const file = write('a.yaml', 'probe: { intervalMs: 100 }')
  const seen = watch(file)
  rmSync(file)
  await vi.waitFor(() => expect(said).toEqual([[reloadMessages.gone, { file }]]), 2000)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(said).toHaveLength(1)
  write('a.yaml', 'probe: { intervalMs: 100 }')
  await vi.waitFor(() => expect(seen).toEqual([100]), 2000)
  rmSync(file)
  await vi.waitFor(() => expect(said.filter(([text]) => text === reloadMessages.gone)).toHaveLength(2), 2000)
})

it('names the settings that differ from those of the start and are taken at a start only', async () => {
  watch(write('a.yaml', 'ingress: { listen: [a] }'))
  const reloaded = async (text: string) => {
    said.length = 0
    write('a.yaml', text)
    process.kill(process.pid, 'SIGHUP')
    await vi.waitFor(() => expect(said[0]?.[0]).toBe(reloadMessages.reloaded), 2000)
    return said.slice(1, 2)
  }
  expect(await reloaded('http: { port: 5 }\ningress: { listen: [b] }\nprobe: { intervalMs: 7 }')).toEqual([
    [reloadMessages.waiting, { settings: ['http', 'ingress.listen'] }],
  ])
  await stop?.()
  watch(write('a.yaml', 'ingress: { listen: [a] }'))
  expect(await reloaded('ingress: { listen: [a] }\nprobe: { intervalMs: 8 }')).toEqual([])
})
