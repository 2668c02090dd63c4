import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newInstance, version } from '@siplb/runtime'

const folder = mkdtempSync(join(tmpdir(), 'siplb-exit-'))
const program = join(import.meta.dirname, 'printing-service.ts')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

it('starts with the file of the flag, and settings of flags over it', async () => {
  const file = join(folder, 'good.yaml')
  writeFileSync(file, 'probe: { intervalMs: 200, timeoutMs: 300 }\n')
  const { code, stdout } = await start(['--config', file, '--set', 'probe.intervalMs=250'])
  expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, file, probe: { intervalMs: 250, timeoutMs: 300 } })
})

it('finds the file in SIPLB_CONFIG', async () => {
  const file = join(folder, 'env.yaml')
  writeFileSync(file, 'probe: { intervalMs: 201 }\n')
  expect(JSON.parse((await start([], { SIPLB_CONFIG: file })).stdout)).toMatchObject({
    file,
    probe: { intervalMs: 201 },
  })
})

it('ends with 2, every problem on a line of its own, and the cure', async () => {
  const file = join(folder, 'bad.yaml')
  writeFileSync(file, 'probe:\n  intervalMs: 1.5\n  timeout: 3\n')
  const { code, stdout, stderr } = await start(['--config', file])
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr.trimEnd().split('\n')).toEqual([
    `${file}:2:15: probe.intervalMs: must be a whole number`,
    `${file}:3:3: probe.timeout: is no key here (did you mean timeoutMs?)`,
    `Not started: mend these 2; "siplb config check ${file}" checks the file without starting anything.`,
  ])
})

it('ends with 2 and the usage for a flag that is none', async () => {
  expect(await start(['--conf', 'x'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--conf.*Usage: siplb-printing/s),
  })
  expect(await start(['--set', 'x'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/path=value/) })
})

it('prints help and version', async () => {
  expect(await start(['--help'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: siplb-printing/) })
  expect(await start(['--version'])).toMatchObject({ code: 0, stdout: `siplb-printing ${version}\n` })
})

it('names instances by slugs that differ', () => {
  expect(newInstance()).toMatch(/^[a-z0-9][a-z0-9-]{0,23}-[0-9a-f]{4}$/)
  expect(new Set(Array.from({ length: 5 }, newInstance)).size).toBeGreaterThan(1)
})
