import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { startChild } from '@siplb/children'

const node = process.execPath
// One that nobody has waited for yet ("Z") is gone.
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

describe('a child process', () => {
  it('tells its lines, and its exit code after the last of them', async () => {
    const lines: string[] = []
    const child = startChild(node, ['-e', 'console.log("a b"); console.error("c"); process.exitCode = 3'], {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    })
    expect(await child.exited).toBe(3)
    expect(lines.toSorted()).toEqual(['stderr c', 'stdout a b'])
    expect(child.isRunning()).toBe(false)
    expect(child.kill('SIGTERM')).toBe(false)
  })

  it('is the program itself, so that signals reach it', async () => {
    const child = startChild('sleep', ['60'])
    expect(child.kill('SIGUSR1')).toBe(true)
    expect(await child.exited).toBe('SIGUSR1')
  })

  it.each([
    ['', 'echo ready; exec sleep 60'],
    [', even one that takes no SIGTERM', `exec perl -e '$SIG{TERM} = "IGNORE"; $| = 1; print "ready\\n"; sleep 60'`],
  ])('ends with the process that started it, also by SIGKILL%s', async (_, script) => {
    const seen = Promise.withResolvers<number>()
    const parent = startChild(node, ['--input-type=module', '-e', PARENT, script], {
      cwd: import.meta.dirname,
      onLine: (line) => seen.resolve(Number(line)),
    })
    const pid = await seen.promise
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
  })

  it('may wait for all of its own children, and finds none that it did not start', async () => {
    const child = startChild('perl', ['-e', '1 while wait() > 0; exit 4'])
    expect(await child.exited).toBe(4)
  })

  it('cannot be started where there is no such program', async () => {
    expect(await startChild('no-such-program', []).exited).toBe(127)
  })
})

const PARENT = `
import { startChild } from '@siplb/children'
const child = startChild('sh', ['-c', process.argv[1]], { graceSeconds: 1, onLine: () => console.log(child.pid) })
`
