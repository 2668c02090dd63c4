import { describe, expect, it } from 'vitest'
import { ran } from './ran.ts'

describe('help', () => {
  it('is printed for everything, for a group and for one command', async () => {
    expect((await ran(['--help'])).printed).toMatch(/proxies drain PROXY.*config check FILE.*Exit codes/s)
    const group = await ran(['proxies', '--help'])
    expect(group.printed).toMatch(/proxies drain/)
    expect(group.printed).not.toMatch(/config check/)
    expect((await ran(['proxies', 'add', '-h'])).printed).toMatch(/^usage: siplb proxies add PROXY URI \[--pool NAME\]/)
  })

  it('is the answer to nothing at all, with the exit code of a wrong command', async () => {
    expect(await ran([])).toMatchObject({
      code: 2,
      printed: '',
      remarks: expect.stringMatching(/^usage: siplb COMMAND/),
    })
  })
})

it.each([
  [
    ['proxis', 'list'],
    'there is no command "proxis list" (did you mean "proxies list"?); siplb --help says what there is',
  ],
  [['weights', '--pol', 'x'], 'there is no option --pol (did you mean --pool?); --help says what there is'],
  [['weights', '--pool'], '--pool wants a value: --pool NAME'],
  [['weights', '--pool', '--watch'], '--pool wants a value: --pool NAME'],
  [['weights', '--watch=yes'], '--watch takes no value'],
  [
    ['weights', '--tier', '1'],
    'siplb weights takes no --tier; usage: siplb weights [--pool NAME] [--watch] [--shadow]',
  ],
  [['weights', 'main'], 'usage: siplb weights [--pool NAME] [--watch] [--shadow]'],
  [['bogus', '--help'], 'there is no command "bogus"; siplb --help says what there is'],
  [['proxies', 'bogus', '-h'], 'there is no command "proxies bogus"; siplb --help says what there is'],
  [['proxies', 'add', 'px1', 'sip:a', '--weight', '-3'], '--weight wants a number from 0 on, not "-3"'],
  [['proxies', 'add', 'px1', 'sip:a', '--tier', '0'], '--tier wants a number from 1 on, not "0"'],
  [['weights', '--watch', '--shadow'], '--shadow shows what is now: leave out --watch'],
  [['replay', '--since', '1h', '--until', '2h'], expect.stringMatching(/^there is no time between /)],
  [['weights', '-o', 'xml'], '-o wants table or json, not "xml"'],
  [
    ['replay', '--since', 'noon'],
    '--since wants a time such as 90s, 30m, 2h (ago) or 2026-11-25T14:00:00Z, not "noon"',
  ],
  [['replay', '--pol', 'x'], 'there is no option --pol (did you mean --pool?); --help says what there is'],
  [['proxies', 'set', 'px1'], 'say what to set: siplb proxies set px1 --weight 50'],
  [
    ['config', 'check', 'x', '--set', 'probe'],
    '--set wants path=value, such as --set probe.intervalMs=500, not "probe"',
  ],
])('answers %j with a sentence that names the cure', async (argv, sentence) => {
  expect(await ran(argv)).toEqual({ code: 2, printed: '', remarks: sentence })
})

it('says what can be done with a group', async () => {
  expect((await ran(['config'])).remarks).toBe('say what to do: siplb config check, siplb config print')
})
