import { describe, expect, it } from 'vitest'
import { mayMakeDialog, methodLabel } from '../../src/domain/methods.ts'

describe('a method', () => {
  it('is counted by name where the name is a known one, in its own case', () => {
    expect(['INVITE', 'UPDATE', 'invite', '__proto__', 'X'.repeat(4000)].map(methodLabel)).toEqual([
      'INVITE',
      'UPDATE',
      'OTHER',
      'OTHER',
      'OTHER',
    ])
  })

  it('may make a dialog if it is one of those that do, or nobody knows', () => {
    expect(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY', 'NEWTHING'].filter((one) => !mayMakeDialog(one))).toEqual([])
    expect(['REGISTER', 'OPTIONS', 'MESSAGE', 'PUBLISH', 'BYE'].filter(mayMakeDialog)).toEqual([])
  })
})
