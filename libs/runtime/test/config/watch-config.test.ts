import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { createLogger, formatProblem, watchConfig } from '@siplb/runtime'

const schema = z.strictObject({ probe: z.strictObject({ intervalMs: z.int().default(1000) }).prefault({}) })
const log = createLogger('test', 'test-1', { level: 'silent' })

let folder: string
let stop: (() => void) | undefined

beforeEach(() => {
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
  stop = () => void component.stop?.()
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

it('hands on nothing of a file in which anything is wrong', async () => {
  const file = write('a.yaml', 'probe: { intervalMs: 100 }')
  const seen = watch(file)
  write('a.yaml', 'probe:\n  intervalMs: 200\n  often: true\n')
  process.kill(process.pid, 'SIGHUP')
  await vi.waitFor(() => expect(seen).toEqual(['a.yaml:3:3: probe.often: is no key here; there is intervalMs']), 2000)
})
