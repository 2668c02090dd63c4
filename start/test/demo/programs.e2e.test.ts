import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startChild } from '@siplb/children'
import { createCaller, createSampleProxy, freePort, waitFor } from '@siplb/testkit'

function run(program: string, args: readonly string[]) {
  const lines: string[] = []
  const file = join(import.meta.dirname, '..', '..', 'demo', program)
  const child = startChild(process.execPath, [file, ...args], { onLine: (line) => lines.push(line) })
  return { child, output: () => lines.join('\n') }
}

it('a sample proxy answers calls under its name, after its delay, until it is ended', async () => {
  const port = await freePort('udp')
  const proxy = run('sample-proxy.ts', ['--listen', `udp://127.0.0.1:${port}`, '--delay-ms', '40', '--name', 'px7'])
  await waitFor(() => proxy.output().includes(`px7 listens on udp://127.0.0.1:${port}`), 10_000)
  await using caller = await createCaller({ target: { address: '127.0.0.1', port } })
  const result = await caller.call()
  expect(result).toMatchObject({ outcome: 'completed', answeredBy: 'px7' })
  expect(result.firstResponseMs).toBeGreaterThanOrEqual(39)
  proxy.child.kill('SIGTERM')
  expect(await proxy.child.exited).toBe(0)
})

it('a caller calls whatever its target’s name stands for, and tells its figures', async () => {
  await using proxy = await createSampleProxy({ name: 'px1' })
  const caller = run('caller.ts', ['--to', `localhost:${proxy.port}`, '--rate', '50', '--call-ms', '20'])
  await waitFor(() => /^\d+ calls started, [1-9]\d* completed, 0 failed;.* px1 100 %$/m.test(caller.output()), 10_000)
  expect(caller.output()).toContain(`calls localhost:${proxy.port} at 127.0.0.1`)
  caller.child.kill('SIGTERM')
  expect(await caller.child.exited).toBe(0)
})

it('a caller waits for a name that does not resolve yet', async () => {
  const caller = run('caller.ts', ['--to', 'nowhere.invalid:5060', '--json'])
  await waitFor(() => caller.output().includes('nowhere.invalid does not resolve yet; trying on'), 10_000)
  await waitFor(() => caller.output().includes('"started":0'), 10_000)
  caller.child.kill('SIGTERM')
  expect(await caller.child.exited).toBe(0)
})

it.each([
  ['caller.ts', ['--to', 'nothing'], '--to wants an address and a port'],
  ['caller.ts', ['--to', 'a:1', '--rate', 'fast'], '--rate wants a number, not "fast"'],
  ['sample-proxy.ts', [], '--listen wants an address and a port'],
  ['sample-proxy.ts', ['--nonsense'], '--nonsense'],
])('%s refuses %j', async (program, args, problem) => {
  const { child, output } = run(program, args)
  expect(await child.exited).toBe(2)
  expect(output()).toContain(problem)
})
