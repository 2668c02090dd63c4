import { describe, expect, it } from 'vitest'
import { createScreen } from '../../screen/screen.ts'

const clock = () => new Date(2026, 0, 1, 9, 5, 7)

function open(terminal: { isTTY?: boolean; columns?: number }) {
  let written = ''
  const screen = createScreen({ ...terminal, write: (text: string) => (written += text) }, clock)
  const take = () => {
    const text = written
    written = ''
    return text
  }
  return { screen, take }
}

describe('a screen', () => {
  it('adds a line for a status that differs from the last, when it is no terminal', () => {
    const { screen, take } = open({})
    screen.say('hello')
    screen.status(['a block'], 'one')
    screen.status(['a block'], 'one')
    screen.status(['a block'], 'two')
    screen.status([], '')
    expect(take()).toBe('09:05:07 hello\n09:05:07 one\n09:05:07 two\n')
  })

  it('draws the status anew below the lines on a terminal, each row in one line', () => {
    const { screen, take } = open({ isTTY: true, columns: 6 })
    screen.status(['first', 'second row'], '')
    expect(take()).toBe('first\nsecon\n')
    screen.say('news')
    expect(take()).toBe('\u001b[2A\u001b[0J09:05:07 news\nfirst\nsecon\n')
    screen.status([], '')
    expect(take()).toBe('\u001b[2A\u001b[0J')
  })
})
