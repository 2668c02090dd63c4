import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../scripts/generate.ts')
const out = mkdtempSync(join(tmpdir(), 'siplb-docs-'))

function generate(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, '--out', out, ...args], { cwd: out }, (_, __, stderr) => {
      resolve({ code: child.exitCode, stderr })
    })
  })
}

it('names the files that drifted, are missing or no longer wanted, and the cure; and mends them', async () => {
  await generate()
  expect(await generate('--check')).toEqual({ code: 0, stderr: '' })

  writeFileSync(join(out, 'asyncapi.yaml'), 'asyncapi: 2.0.0\n')
  writeFileSync(join(out, 'schemas/old.json'), '{}\n')
  rmSync(join(out, 'schemas/config.json'))
  const { code, stderr } = await generate('--check')
  expect(code).toBe(1)
  expect(stderr.trimEnd().split('\n').slice(1)).toEqual([
    'asyncapi.yaml',
    'schemas/config.json',
    'schemas/old.json',
    'write them anew: npm run contracts',
  ])

  await generate()
  expect((await generate('--check')).code).toBe(0)
})
