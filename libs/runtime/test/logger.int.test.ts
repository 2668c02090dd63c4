import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const execute = promisify(execFile)

/** What a process says that does this with its `log`. */
async function linesOf(level: string, body: string): Promise<Record<string, unknown>[]> {
  const program = `
    import { createLogger } from '@siplb/runtime'
    const log = createLogger('location', 'l-1', { level: '${level}' })
    ${body}`
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
  })
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
}

it('writes JSON lines on standard output: the text constant, facts as fields, and who says it when', async () => {
  const [line, ...rest] = await linesOf('info', `log.warn({ proxyId: 'px1' }, 'proxy down')`)
  expect(rest).toEqual([])
  expect(line).toEqual({
    level: 40,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: 'location',
    instance: 'l-1',
    proxyId: 'px1',
    msg: 'proxy down',
  })
})

it('says nothing below its level', async () => {
  const all = `for (const level of ['debug', 'info', 'warn', 'error']) log[level](level)`
  expect((await linesOf('warn', all)).map(({ msg }) => msg)).toEqual(['warn', 'error'])
  expect(await linesOf('silent', all)).toEqual([])
})

it('has written everything when the process ends at once', async () => {
  const lines = await linesOf('info', `for (let i = 0; i < 2000; i++) log.info({ i }, 'line'); process.exit(0)`)
  expect(lines).toHaveLength(2000)
})

it('shows an error with its cause', async () => {
  const [line] = await linesOf(
    'info',
    `log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')`,
  )
  expect(line?.['err']).toMatchObject({
    type: 'Error',
    message: 'outer: inner',
    stack: expect.stringContaining('caused by'),
  })
})
