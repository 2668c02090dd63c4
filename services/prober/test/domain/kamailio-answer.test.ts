import { expect, it } from 'vitest'
import { readKamailioAnswer } from '../../src/domain/kamailio-answer.ts'

it('counts transactions without a final answer', () => {
  // As Kamailio 5.6.3 answers.
  const text = `{
	"jsonrpc":	"2.0",
	"result":	{
		"tmx.active_transactions":	7,
		"tmx.inuse_transactions":	31
	},
	"id":	1
}`
  expect(readKamailioAnswer(text)).toEqual({
    kind: 'report',
    report: { kind: 'active', active: 7, capacity: undefined, details: { active: 7, inuse: 31 } },
  })
})

it.each([
  ['an error', '{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1}', 'not a JSON-RPC result'],
  ['no JSON', '<html>', 'not a JSON-RPC result'],
  ['a module that is not loaded', '{"jsonrpc":"2.0","result":{},"id":1}', 'load the module tmx'],
  ['a figure that is none', '{"result":{"tmx.active_transactions":"many"}}', 'load the module tmx'],
  ['a negative figure', '{"result":{"tmx.active_transactions":-1}}', 'load the module tmx'],
])('says what is wrong with %s', (_, text, problem) => {
  const answer = readKamailioAnswer(text)
  expect(answer.kind === 'unusable' && answer.problem).toContain(problem)
})
