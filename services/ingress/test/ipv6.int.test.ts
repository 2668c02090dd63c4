import { expect, it } from 'vitest'
import { fromCallee, scene } from './scene.ts'

it('over IPv6 a call comes and goes as over IPv4', async () => {
  await using s = await scene({ address: '::1', proxyAddress: '::1' })
  const call = await s.call()
  expect(call.asked.one('Via')).toMatch(new RegExp(`^SIP/2\\.0/UDP \\[::1\\]:${s.lb.place.port};rport;`))
  expect(call.asked.one('Record-Route')).toContain(`@[::1]:${s.lb.place.port};lr>`)
  s.px1.send(fromCallee(call, 'INFO', s.px1), s.lb.place)
  s.phone.peer.answer(await s.phone.next('INFO'), 200)
  await s.px1.next(200)
  s.phone.follow(call.invite, call.ok, 'BYE')
  s.px1.answer(await s.px1.next('BYE'), 200)
  await s.phone.next(200)
})
