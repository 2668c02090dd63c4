import { expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scene } from '../scene.ts'

it('a request that comes again without end is answered as often as a real one is repeated: nobody is flooded by copies in its name', async () => {
  await using s = await scene()
  const message = s.phone.ask({ method: 'MESSAGE' })
  s.px1.answer(await s.px1.next('MESSAGE'), 200)
  await s.phone.next(200)
  for (let i = 0; i < 300; i++) s.phone.again(message)
  await eventually(() => s.lb.metric('siplb_sip_retransmissions_total'), 300)
  await eventually(() => s.lb.metric('siplb_sip_dropped_total', { reason: 'repeated-too-often' }), 300 - 32)
  await eventually(() => s.phone.count(200), 33)
  expect(new Set(s.px1.heard.map(({ branch }) => branch)).size).toBe(1)
})
